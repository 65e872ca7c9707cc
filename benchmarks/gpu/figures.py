"""Plain statistics of lists of numbers, and how they are written."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """How numbers lie; all in the unit of the numbers."""

    count: int
    mean: float
    least: float
    p5: float
    p50: float
    p95: float
    p99: float
    most: float

    def milli(self) -> str:
        """Median and middle nine tenths, times 1000."""
        return f"{1e3 * self.p50:.2f} ({1e3 * self.p5:.2f} to {1e3 * self.p95:.2f})"

    def __str__(self) -> str:
        return f"{self.p50:.2f} ({self.p5:.2f} to {self.p95:.2f})"


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of `values`, None where there are none."""
    if not values:
        return None
    ordered = sorted(values)
    least, p5, p50, p95, p99, most = (quantile(ordered, part) for part in (0, 0.05, 0.5, 0.95, 0.99, 1))
    return Spread(len(ordered), statistics.fmean(ordered), least, p5, p50, p95, p99, most)


def quantile(ordered: Sequence[float], part: float) -> float:
    """The value below which `part` of the sorted values lie, between neighbours in a straight line."""
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def histogram(values: Sequence[float], width: float) -> dict[str, int]:
    """How many values lie in each bin of `width`, by the bin's lower end; empty bins are left out."""
    bins = Counter(math.floor(value / width + 1e-9) for value in values)
    return {f"{place * width:.6g}": bins[place] for place in sorted(bins)}


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error (infinite for fewer than two values).

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values")
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return statistics.fmean(values), error


def per_cent(part: float) -> str:
    """A ratio as a percentage."""
    return f"{100 * part:.2f} %"
