"""The trend of a series whose values hang together, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from aipower.calibration.student import quantile_975

BLOCKS = 6
"""Memory grows in steps, so neighbours are not independent; means of long blocks nearly are."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A trend per unit of x with the half-width of its 95 % interval."""

    value: float
    half_width: float

    @property
    def low(self) -> float:
        """The least that is likely."""
        return self.value - self.half_width


def slope(xs: Sequence[float], ys: Sequence[float], blocks: int = BLOCKS) -> Slope:
    """The least-squares trend of the means of `blocks` equal parts of the series.

    Raises:
        ValueError: There are fewer values than blocks, or fewer than three blocks.
    """
    if len(xs) != len(ys) or blocks < 3 or len(xs) < blocks:
        raise ValueError(f"{len(xs)} and {len(ys)} values for {blocks} blocks")
    edges = [round(place * len(xs) / blocks) for place in range(blocks + 1)]
    mean_xs, mean_ys = ([fmean(row[low:high]) for low, high in pairwise(edges)] for row in (xs, ys))
    return _fit(mean_xs, mean_ys)


def _fit(xs: Sequence[float], ys: Sequence[float]) -> Slope:
    middle_x, middle_y = fmean(xs), fmean(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    value = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread
    rest = sum((y - middle_y - value * (x - middle_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    freedom = len(xs) - 2
    return Slope(value, quantile_975(freedom) * math.sqrt(rest / freedom / spread))
