"""One quantity of two sides: by how much it differs, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from aipower.compare.drift import Timed, allowance
from aipower.compare.model import Difference, Parts, Side
from aipower.compare.reading import Reader, Reading, values_of
from aipower.compare.scale import left_in_difference, left_in_ratio, mean_scales
from aipower.statistics.effect import detectable, repetitions
from aipower.statistics.means import CONFIDENCE, mean, variance
from aipower.statistics.ratio import Group, Ratio, ratio
from aipower.statistics.student import t_quantile

SideReader = Callable[[Side], Reader]
"""How a quantity is found in the records of a side."""


class Measured(Struct, frozen=True):
    """A quantity of one side, run by run."""

    readings: Sequence[Reading]
    times_s: Sequence[float]

    @property
    def group(self) -> Group:
        """For the statistics."""
        return Group(values_of(self.readings), [reading.error for reading in self.readings])

    @property
    def timed(self) -> Timed:
        """When which logarithm was found."""
        return list(zip(self.times_s, self.group.logs, strict=True))


class Contrast(Struct, frozen=True):
    """Two sides and what came of comparing them."""

    base: Measured
    other: Measured
    found: Ratio


def measured(side: Side, reader: Reader) -> Measured | None:
    """None where a run of the side does not have the quantity, or it is 0: a part of nothing cannot be told."""
    readings = [reading for run in side.runs if (reading := reader(run)) is not None and reading.value > 0]
    if not readings or len(readings) < len(side.runs):
        return None
    return Measured(readings, [run.started_unix_s for run in side.runs])


def contrast(base: Side, other: Side, read: SideReader, confidence: float = CONFIDENCE) -> Contrast | None:
    """None where one of them does not have the quantity."""
    one, two = measured(base, read(base)), measured(other, read(other))
    if one is None or two is None:
        return None
    scale_se = left_in_ratio(mean_scales(one.readings), mean_scales(two.readings))
    drift = allowance(one.timed, two.timed)
    return Contrast(one, two, ratio(one.group, two.group, scale_se=scale_se, drift=drift, confidence=confidence))


def difference(quantity: str, unit: str, found: Contrast) -> Difference:
    """The contrast in percent and in the quantity's unit."""
    result = found.found
    one, two = geometric(found.base.group), geometric(found.other.group)
    low, high = result.interval
    half = _half(found, one, two)
    known = result.run_se is not None or result.se > 0
    return Difference(
        quantity=quantity,
        unit=unit,
        baseline=one,
        other=two,
        percent=percent(result.log),
        interval_percent=(percent(low), percent(high)) if known else None,
        change=two - one,
        interval=(two - one - half, two - one + half) if known else None,
        p=result.p if result.run_se is not None else None,
        confidence=result.confidence,
        parts=_parts(result),
        detectable_percent=percent(detectable(result)) if result.run_se is not None else None,
    )


def needed(found: Contrast) -> dict[str, int | None]:
    """How often to repeat to show 1 % and 5 %; empty where nobody knows how runs vary."""
    spreads2 = [variance(group.logs) for group in (found.base.group, found.other.group) if len(group.values) > 1]
    if not spreads2:
        return {}
    return {f"{p} %": repetitions(found.found, mean(spreads2), math.log1p(-p / 100)) for p in (1, 5)}


def geometric(group: Group) -> float:
    """The geometric mean."""
    return math.exp(mean(group.logs))


def spread_percent(group: Group) -> float | None:
    """The standard deviation from run to run, in percent; None for one run."""
    return 100 * math.sqrt(variance(group.logs)) if len(group.values) > 1 else None


def percent(log: float) -> float:
    """The change that a difference of logarithms is; capped where it would not fit a number."""
    return 100 * math.expm1(min(log, 600.0))


def _half(found: Contrast, one: float, two: float) -> float:
    """The half-width of the difference in the quantity's unit.

    The logarithm's errors are carried over (JCGM 100, 5.1.2): each mean's own by that mean, the scales by both.
    """
    result = found.found
    scale = left_in_difference(mean_scales(found.base.readings), one, mean_scales(found.other.readings), two)
    own2 = (result.se**2 - result.scale_se**2) * _weight(found, one, two)
    quantile = t_quantile((1 + result.confidence) / 2, result.freedom)
    return quantile * math.sqrt(max(0.0, own2) + scale * scale) + result.drift * max(one, two)


def _weight(found: Contrast, one: float, two: float) -> float:
    """The mean square of the two means, each by its part of the logarithm's variance."""
    parts = [_mean_variance(side.group) for side in (found.base, found.other)]
    if None in parts or not sum(part or 0.0 for part in parts):
        return max(one, two) ** 2
    first, second = (part or 0.0 for part in parts)
    return (first * one * one + second * two * two) / (first + second)


def _mean_variance(group: Group) -> float | None:
    """None where one run does not tell it."""
    return variance(group.logs) / len(group.values) if len(group.values) > 1 else None


def _parts(result: Ratio) -> Parts:
    level = (1 + result.confidence) / 2
    normal, student = t_quantile(level, math.inf), t_quantile(level, result.freedom)
    return Parts(
        runs_percent=None if result.run_se is None else percent(student * result.run_se),
        measurement_percent=percent(normal * result.measurement_se),
        scale_percent=percent(normal * result.scale_se),
        drift_percent=percent(result.drift),
    )
