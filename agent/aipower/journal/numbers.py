"""Numbers as a slot can hold them."""

from __future__ import annotations

import math


def finite(value: float) -> float:
    """`value`, or 0 for what JSON has no number for."""
    return value if math.isfinite(value) else 0.0
