"""The chi-squared distribution: how far a spread that few values show may be below the true one."""

from __future__ import annotations

import math

from aipower.statistics.solve import rising_root

STEPS = 10_000
ENOUGH = 1e-16


def chi2_cdf(x: float, freedom: float) -> float:
    """The probability that chi-squared with `freedom` degrees of freedom is below `x`.

    The series of Abramowitz and Stegun 6.5.29, whose terms are all positive.

    Raises:
        ValueError: `freedom` is not above 0.
    """
    if not freedom > 0:
        raise ValueError(f"{freedom} degrees of freedom")
    if x <= 0:
        return 0.0
    a, half = freedom / 2, x / 2
    if half > a + 40 * math.sqrt(a) + 400:
        return 1.0
    term = total = 1 / a
    for step in range(1, STEPS):
        term *= half / (a + step)
        total += term
        if term < ENOUGH * total:
            break
    return min(1.0, total * math.exp(a * math.log(half) - half - math.lgamma(a)))


def chi2_quantile(probability: float, freedom: float) -> float:
    """The value below which chi-squared lies with `probability`.

    Raises:
        ValueError: `probability` is not between 0 and 1, or `freedom` not above 0.
    """
    if not 0 < probability < 1:
        raise ValueError(f"a probability of {probability}")
    return rising_root(lambda x: chi2_cdf(x, freedom) - probability)
