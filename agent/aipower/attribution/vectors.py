"""Short vectors as plain lists: a dozen elements at most, for which no library is worth its import."""

from __future__ import annotations

from collections.abc import Iterable
from operator import mul


def dot(one: Iterable[float], other: Iterable[float]) -> float:
    """The scalar product of two vectors of one length."""
    product: float = sum(map(mul, one, other))
    return product
