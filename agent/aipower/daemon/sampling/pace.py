"""When the next tick is due, and how well that is kept."""

from __future__ import annotations

import random

from msgspec import Struct

from aipower.seams import Clock

JITTER = 0.03
"""Share of the interval by which ticks are moved at random, so that a periodic load is not met in one phase."""


class Pace(Struct, frozen=True):
    """How often what is done, in seconds."""

    interval_s: float
    process_interval_s: float


class Schedule:
    """An absolute schedule: a late tick does not move the next ones, and what was missed is not made up for."""

    def __init__(self, interval_s: float, clock: Clock) -> None:
        self.ticks = 0
        self.busy_s = 0.0
        self.late_s = 0.0
        self.missed = 0
        self._interval_s = interval_s
        self._clock = clock
        self._dice = random.Random()  # noqa: S311 - jitter, not a secret
        self._grid_s = self._planned_s = self._began_s = clock.monotonic_s()

    def restart(self) -> None:
        """The next tick is planned for now."""
        self._grid_s = self._planned_s = self._clock.monotonic_s()

    def set_interval(self, interval_s: float) -> None:
        """Plan the ticks after the next one `interval_s` apart."""
        self._interval_s = interval_s

    def begin(self) -> None:
        """A tick begins; how late it is counts."""
        self._began_s = self._clock.monotonic_s()
        self.late_s += max(0.0, self._began_s - self._planned_s)

    def end(self) -> None:
        """The tick has ended, well or not. Ticks whose time has passed meanwhile are counted and left out."""
        now_s = self._clock.monotonic_s()
        self.ticks += 1
        self.busy_s += now_s - self._began_s
        self._grid_s += self._interval_s
        if now_s > self._grid_s:
            missed = int((now_s - self._grid_s) / self._interval_s)
            self.missed += missed
            self._grid_s += missed * self._interval_s
        self._planned_s = self._grid_s + self._dice.uniform(0, JITTER * self._interval_s)

    def pause_s(self) -> float:
        """Seconds until the next tick is due, at least 0."""
        return max(0.0, self._planned_s - self._clock.monotonic_s())
