"""What difference a comparison could have shown, and how often to repeat to show a given one."""

from __future__ import annotations

import math

from aipower.statistics.means import LEAST
from aipower.statistics.ratio import Ratio
from aipower.statistics.student import t_quantile

POWER = 0.8
"""The usual chance with which a difference that is there should be shown (Cohen 1988)."""
MOST = 1000
"""Nobody repeats a run more often."""


def detectable(found: Ratio) -> float:
    """The logarithm of the smallest ratio that would have been shown in four cases of five."""
    return _reach(found.confidence, found.freedom) * found.se + found.drift


def repetitions(found: Ratio, spread2: float, log: float) -> int | None:
    """How many runs of each side it takes to show a ratio of logarithm `log` in four cases of five.

    `spread2` is the variance of the logarithm from run to run. None where no number up to 1000 is enough: the errors
    that do not average out are too large.
    """

    def enough(count: int) -> bool:
        fixed2 = found.measurement_se**2 + found.scale_se**2
        se = math.sqrt(2 * spread2 / count + fixed2)
        return _reach(found.confidence, 2 * count - 2) * se + found.drift <= abs(log)

    if not enough(MOST):
        return None
    low, high = LEAST - 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _reach(confidence: float, freedom: float) -> float:
    return t_quantile((1 + confidence) / 2, freedom) + t_quantile(POWER, freedom)
