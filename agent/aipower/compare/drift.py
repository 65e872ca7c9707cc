"""Runs that become dearer or cheaper as a series goes on: a machine that warms up, a cache that fills."""

from __future__ import annotations

from collections.abc import Sequence

from aipower.statistics.means import mean
from aipower.statistics.trend import Trend, trend

UNLIKELY = 0.05
LEAST = 3
"""Fewer runs have no trend."""

Timed = Sequence[tuple[float, float]]
"""(start in seconds, logarithm of the quantity) of each run."""


def drift_of(runs: Timed) -> float:
    """By how much the logarithm changes over the series; 0 where no trend is shown."""
    found = trend(runs) if len(runs) >= LEAST else None
    return found.slope * _span(runs) if found is not None and found.p < UNLIKELY else 0.0


def allowance(base: Timed, other: Timed) -> float:
    """By how much drift alone may have moved the difference of the two means.

    Where a trend is shown, the slope times the time between the middles of the two sides; no more than what it makes
    over a series, for days may lie between. Sides that were run in turns have the same middle, so nothing is added.
    """
    apart = abs(mean([time for time, _ in base]) - mean([time for time, _ in other]))
    return max(
        (abs(found.slope) * min(apart, reach) for found, reach in _trends(base, other) if found.p < UNLIKELY),
        default=0.0,
    )


def _trends(base: Timed, other: Timed) -> list[tuple[Trend, float]]:
    """Of each side, and of both together, which shows more with few runs."""
    reaches = (_reach(base), _reach(other), max(_reach(base), _reach(other)))
    found = (trend(base), trend(other), trend(base, other))
    return [(each, reach) for each, reach in zip(found, reaches, strict=True) if each is not None]


def _span(runs: Timed) -> float:
    times = [time for time, _ in runs]
    return max(times) - min(times)


def _reach(runs: Timed) -> float:
    """How far the next series of as many runs is away."""
    return _span(runs) * len(runs) / (len(runs) - 1) if len(runs) > 1 else 0.0
