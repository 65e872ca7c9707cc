"""Intervals on a common axis, drawn with letters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from aipower.record.wording import short
from aipower.runrecord import Interval

LABEL = 18
AXIS = 56
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
FARTHEST = 1000.0
"""Percent; ends beyond are drawn as an arrow."""


def plot(rows: Sequence[tuple[str, float, Interval]]) -> Iterable[str]:
    """A line for each (label, change, interval) in percent, with 0 marked, and the axis below; none without rows."""
    if not rows:
        return
    low, high = _range(rows)
    zero = _column(0.0, low, high)
    for label, middle, interval in rows:
        yield f"  {short(label, LABEL):<{LABEL}}  {_line(middle, interval, low, high, zero)}"
    yield f"  {'':<{LABEL}}  {_axis(low, high, zero)}"
    yield ""


def _range(rows: Sequence[tuple[str, float, Interval]]) -> tuple[float, float]:
    """Round ends that hold all intervals and 0, within reason."""
    low = max(-100.0, min(0.0, *(interval[0] for _, _, interval in rows)))
    high = min(FARTHEST, max(0.0, *(interval[1] for _, _, interval in rows)))
    step = _step(max(-low, high, 1e-6))
    return math.floor(low / step - 0.2) * step, math.ceil(high / step + 0.2) * step


def _step(reach: float) -> float:
    """A round number of which about four fit into `reach`."""
    magnitude = math.pow(10, math.floor(math.log10(reach / 4)))
    return next(step * magnitude for step in STEPS if step * magnitude >= reach / 4)


def _column(value: float, low: float, high: float) -> int:
    return round((min(max(value, low), high) - low) / (high - low) * (AXIS - 1))


def _line(middle: float, interval: Interval, low: float, high: float, zero: int) -> str:
    first, last = _column(interval[0], low, high), _column(interval[1], low, high)
    drawn = [" "] * AXIS
    drawn[first : last + 1] = ["-"] * (last + 1 - first)
    drawn[zero] = ":"
    drawn[first] = "<" if interval[0] < low else "|"
    drawn[last] = ">" if interval[1] > high else "|"
    drawn[_column(middle, low, high)] = "o"
    return "".join(drawn)


def _axis(low: float, high: float, zero: int) -> str:
    """The ends and 0, where there is room for it."""
    left, right = f"{low:+.3g} %", f"{high:+.3g} %"
    drawn = [" "] * AXIS
    if low < 0:
        drawn[: len(left)] = left
    if high > 0:
        drawn[AXIS - len(right) :] = right
    at = min(zero, AXIS - 1)
    if all(drawn[column] == " " for column in range(max(0, at - 1), min(AXIS, at + 2))):
        drawn[at] = "0"
    return "".join(drawn)
