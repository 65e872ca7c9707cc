"""How a cost grows: a straight line, and a power law with the interval of its exponent."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from aipower.statistics.student import t_quantile

CONFIDENCE = 0.95
SUPERLINEAR = 1.05
"""An exponent above this is more than the noise of a straight line."""
LAST_STEP = 1.25
"""The same for the exponent between the two largest sizes alone, which is less certain."""


@dataclass(frozen=True, slots=True)
class Line:
    """`at_zero + slope * x`."""

    at_zero: float
    slope: float
    r2: float
    """The share of the variance that the line explains."""

    def at(self, x: float) -> float:
        """Its value at `x`."""
        return self.at_zero + self.slope * x


@dataclass(frozen=True, slots=True)
class Power:
    """`factor * x ** exponent`."""

    factor: float
    exponent: float
    low: float
    high: float
    """The interval of the exponent, with 95 % confidence."""


def line(xs: Sequence[float], ys: Sequence[float]) -> Line:
    """The least squares line through at least two points with different x."""
    slope, at_zero = statistics.linear_regression(xs, ys)
    rest = sum((y - at_zero - slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    middle = statistics.fmean(ys)
    spread = sum((y - middle) ** 2 for y in ys)
    return Line(at_zero, slope, 1 - rest / spread if spread else 1.0)


def power_law(xs: Sequence[float], ys: Sequence[float]) -> Power:
    """The least squares line of the logarithms of at least three points; all must be above 0."""
    log_xs, log_ys = [math.log(x) for x in xs], [math.log(y) for y in ys]
    slope, at_zero = statistics.linear_regression(log_xs, log_ys)
    rest = sum((y - at_zero - slope * x) ** 2 for x, y in zip(log_xs, log_ys, strict=True))
    middle = statistics.fmean(log_xs)
    freedom = len(xs) - 2
    error = math.sqrt(rest / freedom / sum((x - middle) ** 2 for x in log_xs))
    reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * error
    return Power(math.exp(at_zero), slope, slope - reach, slope + reach)


def last_exponent(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The exponent between the two largest x, by the mean of the y of each."""
    below, above = sorted(set(xs))[-2:]
    mean = {at: statistics.fmean(y for x, y in zip(xs, ys, strict=True) if x == at) for at in (below, above)}
    return math.log(mean[above] / mean[below]) / math.log(above / below)


def verdict(power: Power, last: float) -> str:
    """Whether the cost grows worse than in proportion."""
    if power.low > SUPERLINEAR:
        return "worse than linear"
    if power.high <= SUPERLINEAR and last <= LAST_STEP:
        return "no worse than linear"
    return "cannot be told"
