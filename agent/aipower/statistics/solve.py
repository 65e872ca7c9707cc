"""Where a rising function crosses zero."""

from __future__ import annotations

from collections.abc import Callable

LIMIT = 1e300
STEPS = 200
CLOSE = 1e-14
"""Brackets narrower than this part of themselves are the answer."""


def rising_root(function: Callable[[float], float]) -> float:
    """The x >= 0 at which `function`, which rises with x, is 0; 0 where it is positive from the start.

    The false position with the weights of Illinois (Dowell and Jarratt, BIT 11, 1971): it needs about ten values.
    """
    low, below = 0.0, function(0.0)
    if below >= 0:
        return 0.0
    high, above = 1.0, function(1.0)
    while above < 0 and high < LIMIT:
        low, below, high = high, above, 2 * high
        above = function(high)
    return _between(function, (low, below), (high, above))


def _between(function: Callable[[float], float], low: tuple[float, float], high: tuple[float, float]) -> float:
    """The root between two (x, value) of which the first is below 0 and the second is not."""
    latest = high[0]
    for _ in range(STEPS):
        if high[0] - low[0] <= CLOSE * high[0] or high[1] == 0:
            return high[0]
        previous, latest = latest, low[0] - low[1] * (high[0] - low[0]) / (high[1] - low[1])
        if abs(latest - previous) <= CLOSE * latest:
            return latest
        value = function(latest)
        if value < 0:
            low, high = (latest, value), (high[0], high[1] / (2 if previous <= low[0] else 1))
        else:
            low, high = (low[0], low[1] / (2 if previous >= high[0] else 1)), (latest, value)
    return latest
