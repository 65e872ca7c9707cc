"""Polling a number for its changes: when it moves, by how much, and how regularly."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.gpu.figures import Spread, histogram, spread
from benchmarks.gpu.seams import Clock

BIN_S = 0.005


@dataclass(frozen=True, slots=True)
class Watch:
    """What polling saw. Each change is the middle of the two polls between which the number moved, and the new one."""

    elapsed_s: float
    polls: int
    first: int
    changes: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class Updates:
    """How a number is updated; steps in its own unit."""

    period_s: float | None
    """By a straight line through all changes; None for fewer than three."""
    poll_s: float
    """The resolution: mean time between polls."""
    interval_s: Spread | None
    interval_histogram: dict[str, int]
    """Number of intervals by their lower end in seconds, bins of 5 ms."""
    step: Spread | None
    step_unit: int
    """The largest number that divides all steps."""
    falls: int
    """Steps down: impossible for a counter."""


def watch(clock: Clock, read: Callable[[], int], seconds: float, pause_s: float = 0.0) -> Watch:
    """Poll `read` for `seconds`, as fast as it goes where there is no pause."""
    began_s = at_s = clock.now_s()
    first = value = read()
    polls = 1
    changes: list[tuple[float, int]] = []
    while at_s < began_s + seconds:
        if pause_s > 0:
            clock.sleep(pause_s)
        before_s, at_s = at_s, clock.now_s()
        fresh = read()
        polls += 1
        if fresh != value:
            changes.append(((before_s + at_s) / 2, fresh))
            value = fresh
    return Watch(at_s - began_s, polls, first, tuple(changes))


def updates(seen: Watch) -> Updates:
    """What the changes say about the number's updates."""
    intervals_s = [after - before for (before, _), (after, _) in pairwise(seen.changes)]
    steps = [after - before for (_, before), (_, after) in pairwise(seen.changes)]
    return Updates(
        period_s=period_s(seen),
        poll_s=seen.elapsed_s / max(1, seen.polls),
        interval_s=spread(intervals_s),
        interval_histogram=histogram(intervals_s, BIN_S),
        step=spread(steps),
        step_unit=math.gcd(*steps),
        falls=sum(step < 0 for step in steps),
    )


def period_s(seen: Watch) -> float | None:
    """The update period in seconds; updates that left the number unchanged are counted in."""
    moments_s = [at_s for at_s, _ in seen.changes]
    if len(moments_s) < 3:
        return None
    median_s = statistics.median(after - before for before, after in pairwise(moments_s))
    numbers = [0]
    for before, after in pairwise(moments_s):
        numbers.append(numbers[-1] + max(1, round((after - before) / median_s)))
    return statistics.linear_regression(numbers, moments_s).slope


def slope(seen: Watch) -> float | None:
    """Units per second between the first and the last change: whole updates only."""
    if len(seen.changes) < 2:
        return None
    (first_s, first), (last_s, last) = seen.changes[0], seen.changes[-1]
    return (last - first) / (last_s - first_s)
