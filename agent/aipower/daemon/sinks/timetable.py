"""When a sink is pushed to: a steady rhythm while pushes arrive, longer and longer pauses while they do not."""

from __future__ import annotations

import random
from collections.abc import Callable

LONGEST_PAUSE_S = 60.0
"""The longest pause between attempts, unless the interval is longer."""
JITTER = 0.25
"""Pauses after failures are shorter by up to this share, so that many nodes do not come back all at once."""

Dice = Callable[[float, float], float]
"""A number from the first to the second."""


class Timetable:
    """Plans the pushes of one sink; times are of one monotonic clock. The first push is due at once."""

    def __init__(self, interval_s: float, now_s: float, dice: Dice = random.uniform) -> None:
        self._interval_s = interval_s
        self._dice = dice
        self._due_s = now_s
        self._failures = 0
        self._pushed = False

    @property
    def failures(self) -> int:
        """Failed pushes since the last that arrived."""
        return self._failures

    def pause_s(self, now_s: float) -> float:
        """Seconds until the next push is due, at least 0."""
        return max(0.0, self._due_s - now_s)

    def arrived(self, now_s: float) -> None:
        """A push has arrived. Those whose time has passed meanwhile are left out, not made up for."""
        if self._failures or not self._pushed:
            # A phase of its own: agents that were started by one command, or held up by one server, spread out.
            self._due_s = now_s + self._interval_s * self._dice(0.5, 1.0)
        else:
            self._due_s += self._interval_s * (1 + int((now_s - self._due_s) / self._interval_s))
        self._failures, self._pushed = 0, True

    def failed(self, now_s: float) -> None:
        """A push has failed."""
        doubled_s = self._interval_s * 2.0 ** min(self._failures, 16)
        self._failures += 1
        pause_s = min(doubled_s, max(LONGEST_PAUSE_S, self._interval_s))
        self._due_s = now_s + pause_s * self._dice(1 - JITTER, 1.0)
