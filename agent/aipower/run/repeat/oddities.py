"""What makes a series doubtful: repetitions that stand out, and a trend over all of them.

Each test is made to raise a false alarm in about 1 of 100 series of normal values.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from msgspec import Struct

from aipower.statistics.student import t_quantile

LEAST = 5
"""Fewer values show nothing that stands out."""
ALARM = 0.01
MAD_TO_SIGMA = 1.4826
"""The median absolute deviation of normal values is their standard deviation over this (Rousseeuw and Croux, 1993)."""
MAD_EFFICIENCY = 0.37
"""And knows it as well as the standard deviation of 37 % as many values does: likewise."""
WORTH_TELLING = 0.01
"""What is nearer than this part of the median is no reason to measure again, however regular the others are."""
MOST_BLOCKS = 300
Z_TREND = 2.576
"""Two-sided 1 % of the normal distribution."""


class Trend(Struct, frozen=True):
    """A drift over the series."""

    relative: float
    """By which part of the median the values have changed from the first to the last; negative where they fell."""
    z: float


def first_excess(values: Sequence[float]) -> float | None:
    """By which part of their median the first value is above the others, if it is so beyond doubt; else None."""
    if len(values) < LEAST:
        return None
    rest = values[1:]
    middle = statistics.median(rest)
    excess = values[0] - middle
    limit = t_quantile(1 - ALARM, MAD_EFFICIENCY * (len(rest) - 1))
    return excess / middle if _stands_out(excess, middle, _sigma(rest), limit) else None


def outliers(values: Sequence[float]) -> list[int]:
    """The positions, from 0 on, of values that stand out from all (Iglewicz and Hoaglin, 1993, with Student's t)."""
    if len(values) < LEAST:
        return []
    middle, sigma = statistics.median(values), _sigma(values)
    limit = t_quantile(1 - ALARM / (2 * len(values)), MAD_EFFICIENCY * (len(values) - 1))
    return [place for place, value in enumerate(values) if _stands_out(abs(value - middle), middle, sigma, limit)]


def trend(values: Sequence[float]) -> Trend | None:
    """A trend that is there beyond doubt, by Mann and Kendall's test and Theil and Sen's slope; else None."""
    values = _in_blocks(values)
    count = len(values)
    pairs = [(first, second) for second in range(count) for first in range(second)]
    score = sum(_sign(values[second] - values[first]) for first, second in pairs)
    spread = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    z = math.copysign(max(0, abs(score) - 1), score) / spread if spread else 0.0
    if abs(z) < Z_TREND:
        return None
    slope = statistics.median((values[second] - values[first]) / (second - first) for first, second in pairs)
    middle = statistics.median(values)
    relative = slope * (count - 1) / middle if middle > 0 else 0.0
    return Trend(relative, z) if abs(relative) >= WORTH_TELLING else None


def _in_blocks(values: Sequence[float]) -> Sequence[float]:
    """At most `MOST_BLOCKS` means of neighbours: all pairs of thousands of values would take long."""
    size = math.ceil(len(values) / MOST_BLOCKS)
    if size <= 1:
        return values
    return [statistics.fmean(values[at : at + size]) for at in range(0, len(values) - size + 1, size)]


def _stands_out(excess: float, middle: float, sigma: float, limit: float) -> bool:
    return middle > 0 and excess > WORTH_TELLING * middle and excess > limit * sigma


def _sigma(values: Sequence[float]) -> float:
    """The standard deviation, by the median absolute one: half of the values may be anything."""
    middle = statistics.median(values)
    return MAD_TO_SIGMA * statistics.median(abs(value - middle) for value in values)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
