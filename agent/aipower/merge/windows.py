"""Spans of time of several records: which of them together cover the most without overlapping."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from msgspec import Struct

from aipower.runrecord import Interval


class Window(Struct, frozen=True):
    """When a record watched a device."""

    run_id: str
    start_s: float
    """Unix time, as is `end_s`."""
    end_s: float
    covered_s: float
    """For how long of it the energy is known."""


def widest(windows: Iterable[Window]) -> list[Window]:
    """Windows that do not overlap and whose covered time is the longest to be had, the earliest first.

    Which of two equal choices is taken depends on their ids alone.
    """
    ordered = sorted(windows, key=lambda one: (one.end_s, one.start_s, one.run_id))
    ends_s = [one.end_s for one in ordered]
    # For the first n windows: the time that is covered at best, of how many windows the rest is chosen, the last one.
    chosen: list[tuple[float, int, int]] = [(0.0, 0, -1)]
    for position, one in enumerate(ordered):
        before = bisect_right(ends_s, one.start_s, hi=position)
        with_it_s = chosen[before][0] + one.covered_s
        if with_it_s > chosen[position][0]:
            chosen.append((with_it_s, before, position))
        else:
            chosen.append(chosen[position])
    return _followed(chosen, ordered)


def _followed(chosen: Sequence[tuple[float, int, int]], ordered: Sequence[Window]) -> list[Window]:
    found: list[Window] = []
    place = len(chosen) - 1
    while chosen[place][2] >= 0:
        _, place, position = chosen[place]
        found.append(ordered[position])
    return found[::-1]


def union(spans: Iterable[Interval]) -> list[Interval]:
    """The spans, those that touch or overlap joined, in order."""
    joined: list[Interval] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end_s)
        else:
            joined.append((start_s, end_s))
    return joined


def length_s(spans: Iterable[Interval]) -> float:
    """For how long at least one of the spans lasts."""
    return sum(end_s - start_s for start_s, end_s in union(spans))
