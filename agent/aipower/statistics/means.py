"""Means of repeated measurements, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aipower.statistics.student import t_quantile

CONFIDENCE = 0.95
LEAST = 2
"""One value alone says nothing of how far others would be from it."""


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean.

    Raises:
        ValueError: There is no value.
    """
    if not values:
        raise ValueError("the mean of no value")
    return math.fsum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    """The sample variance, with n - 1.

    Raises:
        ValueError: There are fewer than two values.
    """
    if len(values) < LEAST:
        raise ValueError("the spread of fewer than two values")
    middle = mean(values)
    return math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1)


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """The mean and the interval that holds the true mean, by Student's t: (mean, low, high).

    Raises:
        ValueError: There are fewer than two values.
    """
    half = t_quantile((1 + confidence) / 2, len(values) - 1) * math.sqrt(variance(values) / len(values))
    middle = mean(values)
    return middle, middle - half, middle + half


def geometric_mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """The geometric mean and its interval, by Student's t on the logarithms: (mean, low, high).

    For energies and times, whose spread is a part of themselves: both ends are above 0.

    Raises:
        ValueError: There are fewer than two values, or one is not above 0.
    """
    middle, low, high = mean_interval([math.log(value) for value in values], confidence)
    return math.exp(middle), math.exp(low), math.exp(high)


def relative_half_width(values: Sequence[float], confidence: float = CONFIDENCE) -> float:
    """By which part of the mean its interval reaches to either side: 0.01 for ±1 %.

    Raises:
        ValueError: There are fewer than two values, or their mean is 0.
    """
    middle, low, high = mean_interval(values, confidence)
    if middle == 0:
        raise ValueError("the mean is 0: no part of it can be told")
    return (high - low) / 2 / abs(middle)
