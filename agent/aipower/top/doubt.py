"""How far an energy since a reset may be off, from what counters say of themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable

from aipower.model import Kind


def since(now_uj: float, base_uj: float) -> float:
    """Half-width of the 95 % interval of the difference of a counter's two values, whose half-widths are given.

    A half-width is the root of the squares of independent errors, of shared ones, and of the sensor's gain. What was
    independent before the reset is in both values and leaves the difference exactly. The squares of the other two
    leave at least as much as is true, as (a - b)^2 <= a^2 - b^2 for a >= b >= 0. Where the later value is known better
    than the earlier one, both errors count in full.
    """
    if now_uj >= base_uj:
        return math.sqrt(now_uj**2 - base_uj**2)
    return now_uj + base_uj


def together(parts: Iterable[tuple[Kind, float]]) -> float:
    """Half-width of a sum over devices: of one kind they may share an error of scale, of different kinds they do not.

    So those of one kind add up linearly, which is more than is true where they share nothing.
    """
    by_kind: dict[Kind, float] = {}
    for kind, half_uj in parts:
        by_kind[kind] = by_kind.get(kind, 0.0) + half_uj
    return math.hypot(*by_kind.values())
