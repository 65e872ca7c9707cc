"""What of the sensors' scales is left in a ratio.

A gain of a sensor that both sides were read from is in both, and cancels as far as it has the same part in both. So
nothing is left of one device's; something is where work has moved between devices, and all of it where each side was
read from a sensor of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aipower.compare.reading import Reading


def mean_scales(readings: Sequence[Reading]) -> dict[str, float]:
    """By how much one standard error of each sensor's scale changes the mean, as a part of it."""
    names = {name for reading in readings for name in reading.scales}
    return {name: math.fsum(r.scales.get(name, 0.0) for r in readings) / len(readings) for name in names}


def left_in_ratio(base: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The standard error of ln(other / base) by the scales."""
    return left_in_difference(base, 1.0, other, 1.0)


def left_in_difference(
    base: Mapping[str, float], base_value: float, other: Mapping[str, float], value: float
) -> float:
    """The standard error of `value` - `base_value` by the scales: of a saving in joules they are in again."""
    names = base.keys() | other.keys()
    return math.hypot(*(value * other.get(name, 0.0) - base_value * base.get(name, 0.0) for name in sorted(names)))
