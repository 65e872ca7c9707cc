"""The lowest and the highest power of several devices together in each step."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence

from aipower.history.strip import Strip
from aipower.history.tickbook import TickColumns

Extreme = tuple[float, float] | None


def extremes(strips: Sequence[Strip], ticks: TickColumns, bounds_s: Sequence[float], whole_s: float) -> list[Extreme]:
    """For each step the lowest and the highest sum that a tick has seen; None where nothing is known.

    Ticks are asked for the steps that begin at `whole_s` or later, as none of theirs are missing. For older ones there
    are the extremes of each device in each bucket: their sum is a bound only, as devices need not peak together.
    """
    sums = _Sums(strips, ticks)
    found: list[Extreme] = []
    for step, start_s in enumerate(bounds_s[:-1]):
        seen = sums.between(start_s, bounds_s[step + 1]) if start_s >= whole_s else None
        found.append(seen if seen is not None else _bound(strips, step))
    return found


class _Sums:
    """Sums of the ticks over the devices."""

    def __init__(self, strips: Sequence[Strip], ticks: TickColumns) -> None:
        self._at_s = ticks.at_s
        self._columns = [ticks.power_w[strip.device] for strip in strips if strip.device in ticks.power_w]
        self._sums_w: list[float] = list(map(sum, zip(*self._columns, strict=True)))

    def between(self, start_s: float, end_s: float) -> Extreme:
        """Of the ticks from `start_s` until before `end_s`."""
        first, last = bisect_left(self._at_s, start_s), bisect_left(self._at_s, end_s)
        sums_w = self._sums_w[first:last]
        if sums_w and math.isnan(sum(sums_w)):
            sums_w = self._with_gaps(first, last)
        return (min(sums_w), max(sums_w)) if sums_w else None

    def _with_gaps(self, first: int, last: int) -> list[float]:
        """The sums over the devices that were up at some time. A tick that misses one of them tells no sum."""
        columns = [column[first:last] for column in self._columns]
        present = [column for column in columns if not all(map(math.isnan, column))]
        return [power_w for power_w in map(sum, zip(*present, strict=True)) if not math.isnan(power_w)]


def _bound(strips: Sequence[Strip], step: int) -> Extreme:
    """From the buckets of each device."""
    low_w = high_w = 0.0
    known = False
    for strip in strips:
        first, last = strip.rows_of(step)
        lows_w, highs_w = _numbers(strip.rows.low_w[first:last]), _numbers(strip.rows.high_w[first:last])
        if lows_w and highs_w:
            low_w, high_w, known = low_w + min(lows_w), high_w + max(highs_w), True
    return (low_w, high_w) if known else None


def _numbers(values: array[float]) -> Sequence[float]:
    return values if not math.isnan(sum(values)) else [value for value in values if not math.isnan(value)]
