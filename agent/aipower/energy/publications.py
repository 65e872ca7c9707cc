"""The values that a power sensor has published, from the reads that have shown them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aipower.energy.changes import JITTER_S, SHARPEST_SE_S

LATE = 0.5
"""A value that has not changed is taken as published again when it is so many periods late: it could have changed."""


@dataclass(frozen=True, slots=True)
class Published:
    """A value and the instant of its publication."""

    at_s: float
    power_w: float


class Rhythm:
    """Instants a whole number of periods apart, of which some are seen between two reads."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._earliest_s = self._latest_s = -math.inf

    @property
    def se_s(self) -> float:
        """Standard error of an instant."""
        width_s = min(self._latest_s - self._earliest_s, self._period_s) if self._latest_s > 0 else self._period_s
        return math.hypot(SHARPEST_SE_S, JITTER_S, width_s / math.sqrt(12))

    def see(self, after_s: float, by_s: float) -> float:
        """The instant between two reads; it narrows what is known of the others."""
        after_s = max(after_s, by_s - self._period_s)
        if self._latest_s == -math.inf:
            self._earliest_s, self._latest_s = after_s, by_s
            return (after_s + by_s) / 2
        known_s = (self._earliest_s + self._latest_s) / 2
        shift_s = round(((after_s + by_s) / 2 - known_s) / self._period_s) * self._period_s
        earliest_s = max(after_s, self._earliest_s + shift_s - JITTER_S)
        latest_s = min(by_s, self._latest_s + shift_s + JITTER_S)
        if earliest_s >= latest_s:
            earliest_s, latest_s = after_s, by_s
        self._earliest_s, self._latest_s = earliest_s, latest_s
        return (earliest_s + latest_s) / 2


class Publications:
    """Follows one sensor. What is published once more without a change is seen by its rhythm only."""

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self._rhythm = Rhythm(period_s)
        self._read: Published | None = None
        self._last: Published | None = None

    @property
    def timing_se_s(self) -> float:
        """Standard error of the instants."""
        return self._rhythm.se_s

    def restart(self) -> None:
        """Forget the value, after a gap."""
        self._read = self._last = None

    def read(self, at_s: float, power_w: float) -> Sequence[Published]:
        """The publications that this read makes known, oldest first; at the first read one, of about now."""
        before, self._read = self._read, Published(at_s, power_w)
        if before is None or self._last is None:
            self._last = Published(at_s - self.period_s / 2, power_w)
            return (self._last,)
        if power_w == before.power_w:
            return self._unchanged(at_s - LATE * self.period_s, power_w)
        instant_s = self._rhythm.see(before.at_s, at_s)
        missed = self._unchanged(instant_s - LATE * self.period_s, before.power_w)
        if at_s - before.at_s > self.period_s:
            missed = _between(missed, before.power_w, power_w)
        if instant_s <= self._last.at_s:
            return missed
        self._last = Published(instant_s, power_w)
        return (*missed, self._last)

    def _unchanged(self, until_s: float, power_w: float) -> Sequence[Published]:
        """The old value again, once each period up to `until_s`."""
        again: list[Published] = []
        while self._last is not None and self._last.at_s + self.period_s <= until_s:
            self._last = Published(self._last.at_s + self.period_s, power_w)
            again.append(self._last)
        return again


def _between(missed: Sequence[Published], from_w: float, to_w: float) -> Sequence[Published]:
    """Values that no read has shown, on the straight line between their neighbours."""
    step_w = (to_w - from_w) / (len(missed) + 1)
    return [Published(value.at_s, from_w + number * step_w) for number, value in enumerate(missed, start=1)]
