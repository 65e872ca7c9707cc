"""Figures of merit: whether a saving has cost results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aipower.compare.model import Direction, Merit, Side
from aipower.errors import UsageError
from aipower.runrecord import Interval
from aipower.statistics.means import CONFIDENCE, mean, variance
from aipower.statistics.ratio import Component, freedom_of
from aipower.statistics.student import t_quantile


def merits_of(base: Side, other: Side, directions: Mapping[str, Direction]) -> list[Merit]:
    """The figures that both sides have, by name."""
    names = sorted(_names(base) & _names(other))
    return [_merit(name, _values(base, name), _values(other, name), directions.get(name)) for name in names]


def check_directions(sides: Sequence[Side], directions: Mapping[str, Direction]) -> None:
    """Complain of a figure that no run has: a typing error must not pass for good results.

    Raises:
        UsageError: There is one.
    """
    known = sorted({name for side in sides for name in _names(side)})
    for name, direction in directions.items():
        if name not in known:
            have = f"they have {', '.join(known)}" if known else f"measure with aipower-run --metric {name}=..."
            raise UsageError(f"--{direction} {name}: no run has such a figure; {have}")


def _names(side: Side) -> set[str]:
    """The figures that any run has; one that ended early may have none."""
    return {name for record in side.runs for name, value in record.metrics.items() if math.isfinite(value)}


def _values(side: Side, name: str) -> list[float]:
    return [v for record in side.runs if (v := record.metrics.get(name)) is not None and math.isfinite(v)]


def _merit(name: str, base: list[float], other: list[float], direction: Direction | None) -> Merit:
    change = mean(other) - mean(base)
    interval = _interval(base, other)
    return Merit(
        name=name,
        direction=direction,
        baseline=mean(base),
        other=mean(other),
        baseline_spread=_spread(base),
        other_spread=_spread(other),
        change=change,
        interval=interval,
        worse=None if direction is None else _is_worse(direction, change, interval),
    )


def _is_worse(direction: Direction, change: float, interval: Interval | None) -> bool:
    """By the end of the interval that is nearest to no change; by the change itself where there is no interval."""
    low, high = interval or (change, change)
    return high < 0 if direction == "higher" else low > 0


def _interval(base: list[float], other: list[float]) -> Interval | None:
    """By Welch's t; figures of merit may be negative, so on the figures themselves."""
    if min(len(base), len(other)) < 2:  # noqa: PLR2004 - one value has no spread
        return None
    parts = [Component(variance(values) / len(values), len(values) - 1) for values in (base, other)]
    half = t_quantile((1 + CONFIDENCE) / 2, freedom_of(parts)) * math.sqrt(sum(part.variance for part in parts))
    change = mean(other) - mean(base)
    return change - half, change + half


def _spread(values: list[float]) -> float | None:
    return math.sqrt(variance(values)) if len(values) > 1 else None
