"""Runs that become dearer or cheaper as a series goes on: a machine that warms up, a cache that fills."""

from __future__ import annotations

from collections.abc import Sequence

from aipower.statistics.means import mean
from aipower.statistics.trend import trend

UNLIKELY = 0.05
"""A trend is told where chance makes one as steep in fewer cases."""
DOUBTFUL = 0.1
"""A trend is allowed for where chance does in fewer: to allow for none costs less than to take drift for a saving."""
LEAST = 4
"""With fewer runs a trend is more often chance than not."""

Timed = Sequence[tuple[float, float]]
"""(start in seconds, logarithm of the quantity) of each run."""


def drift_of(runs: Timed) -> float:
    """By how much the logarithm changes over the series; 0 where no trend is shown."""
    found = trend(runs) if len(runs) >= LEAST else None
    return found.slope * _span(runs) if found is not None and found.p < UNLIKELY else 0.0


def allowance(base: Timed, other: Timed) -> float:
    """By how much drift alone may have moved the difference of the two means.

    Where both sides together show a trend, its slope and a standard error of it, times the time between the middles of
    the two; no more than over a series, for days may lie between. Sides that were run in turns have the same middle.
    """
    found = trend(base, other)
    if found is None or found.p >= DOUBTFUL:
        return 0.0
    apart = abs(mean([time for time, _ in base]) - mean([time for time, _ in other]))
    return (abs(found.slope) + found.se) * min(apart, max(_reach(base), _reach(other)))


def _span(runs: Timed) -> float:
    times = [time for time, _ in runs]
    return max(times) - min(times)


def _reach(runs: Timed) -> float:
    """How far the next series of as many runs is away."""
    return _span(runs) * len(runs) / (len(runs) - 1) if len(runs) > 1 else 0.0
