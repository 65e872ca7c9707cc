"""Whether values rise or fall with time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from aipower.statistics.means import mean
from aipower.statistics.student import two_sided

EXACT = 1e-12
"""A residual below this part of the whole is the rounding of floating point numbers."""


class Trend(Struct, frozen=True):
    """A straight line through values over time."""

    slope: float
    """By how much the value changes per unit of time."""
    se: float
    """Its standard error."""
    p: float
    """How probable a slope at least as steep is where there is none; two-sided."""


def trend(*groups: Sequence[tuple[float, float]]) -> Trend | None:
    """The slope that the groups of (time, value) have in common, each about its own mean, by Student's t.

    None where there are too few points, or they are all of one time.
    """
    pairs = [pair for group in groups for pair in _centred(group)]
    freedom = len(pairs) - sum(1 for group in groups if group) - 1
    square = math.fsum(time * time for time, _ in pairs)
    if freedom < 1 or square == 0:
        return None
    slope = math.fsum(time * value for time, value in pairs) / square
    left = math.fsum((value - slope * time) ** 2 for time, value in pairs)
    if left <= EXACT * math.fsum(value * value for _, value in pairs):
        return Trend(slope, 0.0, 0.0 if slope else 1.0)
    se = math.sqrt(left / freedom / square)
    return Trend(slope, se, two_sided(slope / se, freedom))


def _centred(group: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    if not group:
        return []
    time, value = mean([point[0] for point in group]), mean([point[1] for point in group])
    return [(point[0] - time, point[1] - value) for point in group]
