"""The lowest and the highest power of several devices together in each step."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from aipower.history.strip import Strip
from aipower.history.tickbook import TickColumns

Extreme = tuple[float, float] | None


def extremes(strips: Sequence[Strip], ticks: TickColumns, bounds_s: Sequence[float], whole_s: float) -> list[Extreme]:
    """For each step the lowest and the highest sum that a tick has seen; None where nothing is known.

    Ticks are asked for the steps that begin at `whole_s` or later, as none of theirs are missing. For older ones there
    are the extremes of each device in each bucket: their sum is a bound only, as devices need not peak together.
    """
    sums, bounds = _Sums(strips, ticks), None
    found: list[Extreme] = []
    for step, start_s in enumerate(bounds_s[:-1]):
        end_s = bounds_s[step + 1]
        seen = sums.between(start_s, end_s) if start_s >= whole_s else None
        if seen is None:
            bounds = bounds or _Bounds(strips)
            seen = bounds.between(start_s, end_s)
        found.append(seen)
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


class _Bounds:
    """Sums of the devices' extremes, bucket by bucket."""

    def __init__(self, strips: Sequence[Strip]) -> None:
        sums_w: dict[float, tuple[float, float]] = {}
        self._bucket_s = 0.0
        for alike in _alike(strips):
            rows = alike[0].rows
            lows_w, highs_w = (_sums([getattr(strip.rows, name) for strip in alike]) for name in ("low_w", "high_w"))
            for start_s, end_s, low_w, high_w in zip(rows.start_s, rows.end_s, lows_w, highs_w, strict=True):
                if low_w == low_w:  # noqa: PLR0124 - NaN is not itself; only buckets have numbers
                    before = sums_w.get(start_s, (0.0, 0.0))
                    sums_w[start_s] = before[0] + low_w, before[1] + high_w
                    self._bucket_s = end_s - start_s
        self._starts_s = sorted(sums_w)
        self._lows_w = [sums_w[start_s][0] for start_s in self._starts_s]
        self._highs_w = [sums_w[start_s][1] for start_s in self._starts_s]

    def between(self, start_s: float, end_s: float) -> Extreme:
        """Of the buckets that have a part in the range."""
        first, last = bisect_right(self._starts_s, start_s - self._bucket_s), bisect_left(self._starts_s, end_s)
        return (min(self._lows_w[first:last]), max(self._highs_w[first:last])) if last > first else None


def _alike(strips: Iterable[Strip]) -> Iterable[list[Strip]]:
    """Those together whose rows are of the same times."""
    alike: dict[int, list[Strip]] = {}
    for strip in strips:
        alike.setdefault(id(strip.layout), []).append(strip)
    return alike.values()


def _sums(columns: Sequence[Sequence[float]]) -> list[float]:
    """The sum of each row over the columns that have a number there; NaN where none has."""
    sums: list[float] = list(map(sum, zip(*columns, strict=True)))
    if math.isnan(sum(sums)):
        for row, value in enumerate(sums):
            if math.isnan(value):
                present = [column[row] for column in columns if not math.isnan(column[row])]
                sums[row] = sum(present) if present else math.nan
    return sums
