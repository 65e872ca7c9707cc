"""How well the two ends of a run are placed on a counter that is published now and then."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aipower.energy.changes import Seen

SHARPEST_S = 0.005
"""No edge is known better: a read takes some ms and publication jitters by as much (science of A2)."""


@dataclass(slots=True)
class Edges:
    """The sightings at both ends of the account."""

    open_s: float = float("-inf")
    close_s: float | None = None
    tail_s: float = 0.0
    """The stretch before the end for which the counter has shown nothing."""
    _first: Seen | None = None
    _last: Seen | None = None
    _inside: int = 0
    _last_inside_s: float = 0.0

    def open(self, at_s: float) -> None:
        """Begin at `at_s`."""
        self.open_s = at_s
        self._first, self._inside = None, 0

    def see(self, seen: Seen) -> None:
        """Take in a change of the counter."""
        self._last = seen
        if seen.by_s <= self.open_s:
            return
        self._first = self._first or seen
        if seen.after_s >= self.open_s and (self.close_s is None or seen.by_s <= self.close_s):
            self._inside += 1
            self._last_inside_s = seen.by_s

    def close(self, at_s: float, tail_s: float) -> None:
        """End at `at_s`, of which the last `tail_s` are not known from the counter."""
        self.close_s, self.tail_s = at_s, tail_s
        if self._inside and self._last_inside_s > at_s:
            self._inside -= 1

    def error_s(self, period_s: float) -> float:
        """Root of the sum of squares of both edges' errors, in seconds of power, for a counter of this period.

        Where no update fell inside, nothing but the neighbours tells the power, so all of it is uncertain; with one
        inside, the energy is two cut steps and no whole one, and half of it is.
        """
        edges_s = [_width_s(self._first, period_s), max(_width_s(self._last, period_s), min(self.tail_s, period_s))]
        if self._inside < 2:  # noqa: PLR2004 - a whole step has two ends
            edges_s.append(self._whole_s(period_s) / (1 + self._inside))
        return math.hypot(*edges_s)

    def _whole_s(self, period_s: float) -> float:
        return period_s if self.close_s is None else max(0.0, min(period_s, self.close_s - self.open_s))


def _width_s(seen: Seen | None, period_s: float) -> float:
    """A change shows the last publication, at most a period ago, however rare the reads."""
    return SHARPEST_S if seen is None else max(SHARPEST_S, min(seen.width_s, period_s))
