"""When did a counter last move?

A counter that the hardware publishes every 20 to 100 ms is read at other moments. The energy it shows belongs to the
moment of publication, so the edges of a run are only as sharp as our knowledge of that moment.
"""

from __future__ import annotations

import statistics
from collections import deque

DENSE_S = 0.02
"""Reads no farther apart than this show every step of the known counters (20 ms on V100, 100 ms later)."""


class ChangeTimes:
    """Estimates the instants at which a counter was published, from the reads between which it moved."""

    def __init__(self, period_s: float) -> None:
        self._default_s = period_s
        self._gaps_s: deque[float] = deque(maxlen=9)
        self._last_s: float | None = None
        self._last_dense = False

    @property
    def period_s(self) -> float:
        """The update period: measured once reads were dense, the sensor's usual one before."""
        return statistics.median(self._gaps_s) if self._gaps_s else self._default_s

    @property
    def measured(self) -> bool:
        """True once the period has been seen and not assumed."""
        return bool(self._gaps_s)

    def observe(self, unchanged_s: float, changed_s: float) -> float:
        """The instant of a change that a read at `unchanged_s` did not show and one at `changed_s` did."""
        dense = changed_s - unchanged_s <= DENSE_S
        middle_s = (unchanged_s + changed_s) / 2
        if dense and self._last_dense and self._last_s is not None:
            self._gaps_s.append(middle_s - self._last_s)
        at_s = middle_s if dense else self._on_lattice(unchanged_s, changed_s)
        self._last_s, self._last_dense = at_s, dense
        return at_s

    def _on_lattice(self, unchanged_s: float, changed_s: float) -> float:
        """The publication instant nearest to a whole number of periods after the last, within what was seen."""
        earliest_s = max(unchanged_s, changed_s - self.period_s)
        middle_s = (earliest_s + changed_s) / 2
        if self._last_s is None or not self.measured:
            return middle_s
        steps = max(1, round((middle_s - self._last_s) / self.period_s))
        return min(max(self._last_s + steps * self.period_s, earliest_s), changed_s)
