"""Numbers as they are shown: finite, and no more digits than there is to say.

`round` looks for the nearest decimal in a text, which takes five times as long as the arithmetic here. What comes out
is the double next to a decimal just the same, and is written with as few digits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import floor, inf, isfinite, sqrt

from aipower.model import UJ_PER_J

Z_95 = 1.959963984540054
MW_PER_W = 1000
MS_PER_S = 1000
PARTS = 1_000_000


def watts(power_w: float | None) -> float | None:
    """In steps of a milliwatt; None where it is not known."""
    if power_w is None or not isfinite(steps := power_w * MW_PER_W + 0.5):
        return None
    return floor(steps) / MW_PER_W


def known_watts(power_w: float) -> float:
    """The same of what is always known; what is not finite counts as 0."""
    return floor(steps) / MW_PER_W if isfinite(steps := power_w * MW_PER_W + 0.5) else 0.0


def joules(energy_uj: int) -> float:
    """All microjoules."""
    return energy_uj / UJ_PER_J


def half_joules(error_uj: float) -> float:
    """In steps of a microjoule."""
    return floor(error_uj + 0.5) / UJ_PER_J if isfinite(error_uj) else 0.0


def fine_joules(energy_j: float | None) -> float | None:
    """Joules in steps of a microjoule; None where they are not known."""
    if energy_j is None or not isfinite(steps := energy_j * UJ_PER_J + 0.5):
        return None
    return floor(steps) / UJ_PER_J


def unix_s(at_s: float | None) -> float | None:
    """In steps of a millisecond; None where it is not known."""
    if at_s is None or not isfinite(steps := at_s * MS_PER_S + 0.5):
        return None
    return floor(steps) / MS_PER_S


def rounded(value: float | None, digits: int) -> float | None:
    """None for what is not known or not finite."""
    return round(value, digits) if value is not None and isfinite(value) else None


def certain(value: float, digits: int) -> float:
    """A number that is always known; what is not finite counts as 0."""
    return round(value, digits) if isfinite(value) else 0.0


def column(values: Sequence[float | None]) -> list[float | None]:
    """Watts over time."""
    return [None if value is None else floor(value * MW_PER_W + 0.5) / MW_PER_W for value in values]


def times(at_s: Sequence[float], shift_s: float) -> list[float]:
    """Unix seconds of times on another clock, in steps of a millisecond."""
    return [floor((one_s + shift_s) * MS_PER_S + 0.5) / MS_PER_S for one_s in at_s]


def combined(halves: Iterable[tuple[str, float]]) -> float:
    """Half-width of a sum, of half-widths with their scopes: within one they add up linearly, else in squares."""
    sums: dict[str, float] = defaultdict(float)
    for scope, half in halves:
        sums[scope] += half
    return sqrt(sum([half * half for half in sums.values()]))


def shares(parts: Sequence[float | None], total: float | None) -> list[float | None]:
    """Parts of a total, none negative, in millionths; None for those that are not known, or where the total is not."""
    if total is None or not 0 < total < inf:
        return [None] * len(parts)
    return [
        floor(steps) / PARTS if part is not None and (steps := part / total * PARTS + 0.5) < inf else None
        for part in parts
    ]


def earliest(times_s: Iterable[float | None]) -> float | None:
    """The first of the times that are known."""
    return min((time_s for time_s in times_s if time_s is not None), default=None)
