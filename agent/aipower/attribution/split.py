"""Splitting an integer so that the parts are integers and sum exactly to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K")


RESOLUTION = 1e9
"""Weights are compared in billionths: seconds become whole nanoseconds."""


def largest_remainder(total_uj: int, weights: Mapping[K, float]) -> dict[K, int]:
    """`total_uj` in proportion to `weights`, by the largest remainder method (Hamilton).

    Whole numbers throughout, since floats lose microjoules above 2**53. Ties go to the earlier key, so that the same
    input gives the same split.

    Raises:
        ValueError: There is something to split, but no weight above 0.
    """
    whole = {key: max(1, round(weight * RESOLUTION)) for key, weight in weights.items() if weight > 0}
    if not whole:
        if total_uj:
            raise ValueError(f"nobody to take {total_uj} uJ")
        return {}
    total_weight = sum(whole.values())
    quotas = {key: divmod(total_uj * weight, total_weight) for key, weight in whole.items()}
    parts = {key: quotient for key, (quotient, _) in quotas.items()}
    left = total_uj - sum(parts.values())
    for key in sorted(quotas, key=lambda key: quotas[key][1], reverse=True)[:left]:
        parts[key] += 1
    return parts
