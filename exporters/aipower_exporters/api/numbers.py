"""Numbers as they are shown: finite, and no more digits than there is to say."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from aipower.model import UJ_PER_J

Z_95 = 1.959963984540054


def watts(power_w: float | None) -> float | None:
    """In milliwatts' steps; None where it is not known."""
    return round(power_w, 3) if power_w is not None and math.isfinite(power_w) else None


def joules(energy_uj: int) -> float:
    """All microjoules."""
    return energy_uj / UJ_PER_J


def rounded(value: float | None, digits: int) -> float | None:
    """None for what is not known or not finite."""
    return round(value, digits) if value is not None and math.isfinite(value) else None


def certain(value: float, digits: int) -> float:
    """A number that is always known; what is not finite counts as 0."""
    return round(value, digits) if math.isfinite(value) else 0.0


def column(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Watts over time."""
    return tuple([value if value is None else round(value, 3) for value in values])


def combined(halves: Iterable[tuple[str, float]]) -> float:
    """Half-width of a sum of what has half-widths, each with its scope: see `joint_scope`."""
    sums: dict[str, float] = defaultdict(float)
    for scope, half in halves:
        sums[scope] += half
    return math.sqrt(sum(half * half for half in sums.values()))


def share(part: float | None, total: float | None) -> float | None:
    """The part of the total; None where one is not known or the total is nothing."""
    return None if part is None or not total else rounded(max(0.0, part / total), 6)


def earliest(times_s: Iterable[float | None]) -> float | None:
    """The first of the times that are known."""
    return min((time_s for time_s in times_s if time_s is not None), default=None)
