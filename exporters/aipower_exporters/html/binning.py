"""Power over fewer, longer steps, for what has no room for each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from aipower.runrecord import PowerSeries


class Step(Struct, frozen=True):
    """Mean power over some time."""

    start_s: float
    end_s: float
    power_w: float | None
    """None where it is not known."""


def drawable(series: Sequence[PowerSeries]) -> list[PowerSeries]:
    """Those of which something is known; the live chart leaves out the same."""
    return [one for one in series if 0 < one.step_s < math.inf and mean(one.power_w) is not None]


def binned(series: PowerSeries, most: int, until_s: float) -> list[Step]:
    """At most `most` steps of equal length; the last ends where the run does.

    Args:
        series: A drawable one; unknown steps are left out of a mean.
        most: At least 1.
        until_s: The run's length.
    """
    joined = math.ceil(len(series.power_w) / most)
    return [
        Step(
            start * series.step_s, _end(start + joined, series, until_s), mean(series.power_w[start : start + joined])
        )
        for start in range(0, len(series.power_w), joined)
    ]


def mean(values: Sequence[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    return sum(known) / len(known) if known else None


def _end(index: int, series: PowerSeries, until_s: float) -> float:
    """The run may end within the last step."""
    end_s = index * series.step_s
    if index < len(series.power_w):
        return end_s
    last_s = len(series.power_w) * series.step_s
    return until_s if last_s - series.step_s < until_s < last_s else last_s
