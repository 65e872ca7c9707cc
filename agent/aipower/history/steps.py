"""Which steps a question about a range of time is answered with."""

from __future__ import annotations

import math

from aipower.site.history import MOST_STEPS

ROUNDING = 1e-3
"""A bound this part of a step beside a multiple is that multiple: clients' times went through another clock."""
MOST_NUMBER = 2.0**50


def step_numbers(start_s: float, end_s: float, step_s: float) -> range:
    """The numbers of the steps that have a part in the range: a step begins at its number times `step_s`.

    Raises:
        ValueError: `step_s` is not above 0, or there would be more than `MOST_STEPS`.
    """
    if not (step_s > 0 and math.isfinite(step_s)):
        raise ValueError(f"a step of {step_s:g} s is not above 0")
    if not (math.isfinite(start_s) and math.isfinite(end_s)):
        raise ValueError(f"{start_s:g} to {end_s:g} s is no range of time")
    if end_s <= start_s:
        return range(0)
    if (end_s - start_s) / step_s > MOST_STEPS or max(abs(start_s), abs(end_s)) / step_s > MOST_NUMBER:
        raise ValueError(f"more than {MOST_STEPS} steps of {step_s:g} s; ask for longer ones or for less time")
    return range(math.floor(start_s / step_s + ROUNDING), math.ceil(end_s / step_s - ROUNDING))
