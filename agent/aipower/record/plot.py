"""Power over time in one line of characters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
"""Eighths of a character's height (Unicode 2581 to 2588)."""
PLAIN = "_.-=+*#@"
"""As many levels for terminals without them."""
UNKNOWN = " "


def plot(values_w: Sequence[float | None], width: int, *, glyphs: bool = True) -> str:
    """`values_w` from 0 to their highest, in at most `width` characters; each shows the mean of what it stands for.

    Heights are from 0 W on: a plot from the lowest value on makes mountains of a flicker.
    """
    levels = BLOCKS if glyphs else PLAIN
    columns = _columns(values_w, max(1, width))
    highest_w = max((value_w for value_w in columns if value_w is not None), default=0.0)
    return "".join(_level(value_w, highest_w, levels) for value_w in columns)


def _level(value_w: float | None, highest_w: float, levels: str) -> str:
    if value_w is None:
        return UNKNOWN
    if highest_w <= 0:
        return levels[0]
    return levels[min(len(levels) - 1, math.floor(len(levels) * max(0.0, value_w) / highest_w))]


def _columns(values_w: Sequence[float | None], width: int) -> list[float | None]:
    """The values, or means of as many neighbours as are needed to fit."""
    count = len(values_w)
    if count <= width:
        return list(values_w)
    edges = [count * at // width for at in range(width + 1)]
    return [_mean(values_w[start:end]) for start, end in itertools.pairwise(edges)]


def _mean(values_w: Sequence[float | None]) -> float | None:
    known = [value_w for value_w in values_w if value_w is not None]
    return sum(known) / len(known) if known else None
