"""The two clocks: history is kept in monotonic seconds, clients are told unix seconds."""

from __future__ import annotations

from collections.abc import Callable

from aipower.site.sources import Now

STEP_S = 0.005
"""The clocks are off against each other by a constant until somebody sets the wall clock. What differs by less is the
time that it takes to look at two clocks."""
LOOKS = 5


class Wall:
    """Turns the seconds of one clock into those of the other, in the same way each time: cursors depend on it."""

    def __init__(self, now: Callable[[], Now]) -> None:
        self._now = now
        self._offset_s = self._measured_s()

    def now(self) -> Now:
        """This instant on both clocks; their difference stays the same until the wall clock is set."""
        now = self._now()
        if abs(offset_s(now) - self._offset_s) > STEP_S:
            measured_s = self._measured_s()
            if abs(measured_s - self._offset_s) > STEP_S:
                self._offset_s = measured_s
        return Now(now.monotonic_s, now.monotonic_s + self._offset_s)

    def _measured_s(self) -> float:
        """Whoever is interrupted between two looks finds too much."""
        return min(offset_s(self._now()) for _ in range(LOOKS))


def offset_s(now: Now) -> float:
    """What must be added to monotonic seconds."""
    return now.unix_s - now.monotonic_s


def monotonic_s(asked_s: float, now: Now) -> float:
    """What a client has asked for: unix seconds, or negative for seconds before now."""
    return now.monotonic_s + asked_s if asked_s < 0 else asked_s - offset_s(now)
