"""Student's t, for fits that rest on few points."""

from __future__ import annotations

import math
from types import MappingProxyType

from aipower.calibration.entry import Z_95

EXACT = MappingProxyType({1: 12.706, 2: 4.303})
"""The series below is too coarse for one and two degrees of freedom."""


def inflation(freedom: int) -> float:
    """By how much a standard error from `freedom` degrees of freedom must grow.

    1.96 of the grown errors are then the half-width of the 95 % interval: t(0.975) / z(0.975), at least 1.
    """
    return quantile_975(freedom) / Z_95


def quantile_975(freedom: int) -> float:
    """The 97.5 % quantile of Student's t to 0.1 %, by Abramowitz and Stegun 26.7.5.

    Raises:
        ValueError: There is no degree of freedom.
    """
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom")
    if freedom in EXACT:
        return EXACT[freedom]
    z = Z_95
    terms: tuple[float, ...] = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / float(freedom) ** power for power, term in enumerate(terms))
