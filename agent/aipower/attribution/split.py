"""Splitting an integer so that the parts are integers and sum exactly to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    whole = {key: round(weight * RESOLUTION) or 1 for key, weight in weights.items() if weight > 0}
    if not whole:
        if total_uj:
            raise ValueError(f"nobody to take {total_uj} uJ")
        return {}
    total_weight = sum(whole.values())
    quotas = [divmod(total_uj * weight, total_weight) for weight in whole.values()]
    parts = [part for part, _ in quotas]
    left = total_uj - sum(parts)
    if left:
        rests = [rest for _, rest in quotas]
        for place in sorted(range(len(rests)), key=rests.__getitem__, reverse=True)[:left]:
            parts[place] += 1
    return dict(zip(whole, parts, strict=True))


def equal_parts(total_uj: int, keys: Sequence[K]) -> dict[K, int]:
    """`total_uj` among `keys`, the earlier ones get what is left over."""
    each, left = divmod(total_uj, len(keys))
    if not left:
        return dict.fromkeys(keys, each)
    return {key: each + (number < left) for number, key in enumerate(keys)}
