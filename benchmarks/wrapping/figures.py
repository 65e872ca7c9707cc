"""Medians, the middle half, and how they are written."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

NONE = "-"


@dataclass(frozen=True, slots=True)
class Spread:
    """Of repeated measurements."""

    low: float
    """A quarter is below."""
    middle: float
    high: float
    """A quarter is above."""

    def half(self, digits: int) -> str:
        """The middle half."""
        return f"{self.low:.{digits}f}..{self.high:.{digits}f}"


def spread(values: Iterable[float]) -> Spread:
    """Raises ValueError where there are none."""
    known = sorted(values)
    if len(known) == 1:
        return Spread(known[0], known[0], known[0])
    if not known:
        raise ValueError("no values")
    return Spread(*statistics.quantiles(known, n=4, method="inclusive"))
