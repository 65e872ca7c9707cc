"""Where a rising function crosses zero."""

from __future__ import annotations

from collections.abc import Callable

LIMIT = 1e300
HALVINGS = 2100
"""Enough to go through all floating point numbers."""


def rising_root(function: Callable[[float], float]) -> float:
    """The x >= 0 at which `function`, which rises with x, is 0; 0 where it is positive from the start."""
    high = 1.0
    while function(high) < 0 and high < LIMIT:
        high *= 2
    low = 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return high
