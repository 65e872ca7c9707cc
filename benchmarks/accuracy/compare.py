"""Two runs on one card: how much more the second used, whatever the card's scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from benchmarks.accuracy.estimates import Estimate, Interval


def compared(first: Sequence[Estimate], second: Sequence[Estimate]) -> Iterable[Estimate]:
    """The second run's energy by the yardstick of the first, `second * true / found` of the first.

    A gain that both share is not in it, so the intervals that leave it out are to hold the truth; those with it add up
    as if the two had nothing in common.
    """
    for one in first:
        other = next((each for each in second if each.subject == one.subject), None)
        if other is None or min(one.true_j, one.found_j, other.true_j, other.found_j) <= 0:
            continue
        found_j = other.found_j * one.true_j / one.found_j
        yield replace(
            other,
            subject=f"{one.subject} 2:1",
            found_j=found_j,
            interval_j=_combined(found_j, one.found_j, one.interval_j, other.found_j, other.interval_j),
            repeatable_j=_combined(found_j, one.found_j, one.repeatable_j, other.found_j, other.repeatable_j),
        )


def _combined(
    middle_j: float, one_j: float, one: Interval | None, other_j: float, other: Interval | None
) -> Interval | None:
    """Relative half-widths add in squares."""
    if one is None or other is None:
        return None
    halves = ((one[1] - one[0]) / 2 / one_j, (other[1] - other[0]) / 2 / other_j)
    half_j = middle_j * math.hypot(*halves)
    return middle_j - half_j, middle_j + half_j
