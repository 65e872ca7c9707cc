"""Student's t, exact: tails by the incomplete beta function."""

from __future__ import annotations

import math

from aipower.statistics.solve import rising_root

STEPS = 500
"""Far more than the continued fraction ever takes."""
TINY = 1e-300
ENOUGH = 1e-15
NORMAL = 1e6
"""With more degrees of freedom it is the normal distribution to six digits, and the beta function loses its own."""


def t_cdf(t: float, freedom: float) -> float:
    """The probability that Student's t with `freedom` degrees of freedom (a real number, or infinity) is below `t`.

    Abramowitz and Stegun 26.7.1; the normal distribution's for infinite freedom.

    Raises:
        ValueError: `freedom` is not above 0.
    """
    if not freedom > 0:
        raise ValueError(f"{freedom} degrees of freedom")
    if freedom > NORMAL:
        return 0.5 * math.erfc(-t / math.sqrt(2))
    tail = 0.5 * _beta_ratio(freedom / 2, 0.5, freedom / (freedom + t * t))
    return tail if t < 0 else 1 - tail


def t_quantile(probability: float, freedom: float) -> float:
    """The value below which Student's t lies with `probability`.

    Raises:
        ValueError: `probability` is not between 0 and 1, or `freedom` not above 0.
    """
    if not 0 < probability < 1:
        raise ValueError(f"a probability of {probability}")
    if probability < 0.5:  # noqa: PLR2004 - the distribution is symmetric
        return -t_quantile(1 - probability, freedom)
    return rising_root(lambda t: t_cdf(t, freedom) - probability)


def two_sided(t: float, freedom: float) -> float:
    """The probability that Student's t is at least as far from 0 as `t`: the p-value."""
    return 2 * t_cdf(-abs(t), freedom)


def _beta_ratio(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_ratio(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / (a * _fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of Abramowitz and Stegun 26.5.8, by the method of Lentz."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, STEPS):
        m = step // 2
        above = m * (b - m) / ((a + step - 1) * (a + step)) if step % 2 == 0 else _odd(a, b, m, step)
        d = 1 / ((1 + above * x * d) or TINY)
        c = (1 + above * x / c) or TINY
        value *= c * d
        if abs(c * d - 1) < ENOUGH:
            break
    return value


def _odd(a: float, b: float, m: int, step: int) -> float:
    return -(a + m) * (a + b + m) / ((a + step - 1) * (a + step))
