"""APScheduler for periodic work that goes on when the wall clock is set."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

JUMP_S = 1.0
"""NTP slews smaller differences; the wall clock is set for larger ones."""
LONGEST_S = 5.0
"""A jump is noticed after this long at the latest."""


def wall_ahead_s() -> float:
    """How far the wall clock is ahead of the one that nobody sets."""
    return time.time() - time.monotonic()


class SteadyScheduler(BackgroundScheduler):  # type: ignore[misc]  # apscheduler has no types
    """Plans by the wall clock, as APScheduler does; all jobs are planned anew where that jumps.

    Set back by an hour, the plain one would sleep for that hour.
    """

    def __init__(self, ahead_s: Callable[[], float] = wall_ahead_s) -> None:
        super().__init__(timezone="UTC")
        self._ahead_s = ahead_s
        self._was_ahead_s = ahead_s()

    def _process_jobs(self) -> float | None:
        """Called by the scheduler's thread; the seconds until it wants to be called again, None for never."""
        before_s, self._was_ahead_s = self._was_ahead_s, self._ahead_s()
        if abs(self._was_ahead_s - before_s) > JUMP_S:
            for job in self.get_jobs():
                self.modify_job(job.id, next_run_time=datetime.now(UTC))
        wait_s: float | None = super()._process_jobs()
        return None if wait_s is None else min(wait_s, LONGEST_S)
