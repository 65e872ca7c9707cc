"""Means over the repetitions, with what is in their intervals and what is not."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from aipower.runrecord import Interval, RunRecord
from aipower.statistics import mean_interval

KINDS = ("total", "gpu", "cpu", "dram")


class Figure(Struct, frozen=True):
    """A quantity over the repetitions."""

    count: int
    """In how many of them it is known."""
    mean: float
    interval: Interval | None
    """95 % interval of the mean by Student's t, from the spread alone; None of a single value."""
    deviation: float | None
    """Sample standard deviation."""
    least: float
    most: float


class Energy(Struct, frozen=True):
    """The energy of one kind over the repetitions, in joules."""

    figure: Figure
    absolute_j: Interval | None
    """The interval of the mean with what does not show in the spread because it is the same each time."""


def figure_of(values: Sequence[float]) -> Figure | None:
    """The figure of `values`; None of none."""
    if not values:
        return None
    if len(values) == 1:
        return Figure(1, values[0], None, None, values[0], values[0])
    mean, low, high = mean_interval(values)
    return Figure(len(values), mean, (low, high), statistics.stdev(values), min(values), max(values))


def energy_of(records: Sequence[RunRecord], kind: str) -> Energy | None:
    """The energy of `kind` over `records`; None where none has one."""
    values: list[float] = []
    intervals: list[Interval] = []
    for record in records:
        energy_j: float | None = getattr(record.energy_j, kind)
        interval_j: Interval | None = getattr(record.interval_j, kind)
        if energy_j is not None:
            values.append(energy_j)
            intervals.append(interval_j or (energy_j, energy_j))
    figure = figure_of(values)
    return Energy(figure, _absolute_j(figure, values, intervals)) if figure else None


def _absolute_j(figure: Figure, values: Sequence[float], intervals: Sequence[Interval]) -> Interval:
    """The runs' own intervals, which repetition does not narrow, and that of the mean, added in squares.

    A run's interval holds parts that repeat (the scale, the intensities) and parts that do not (edges, samples). All
    of it is taken as repeating, so the result is rather too wide than too narrow.
    """
    below_j = statistics.fmean(value - low for value, (low, _) in zip(values, intervals, strict=True))
    above_j = statistics.fmean(high - value for value, (_, high) in zip(values, intervals, strict=True))
    low_j, high_j = figure.interval or (figure.mean, figure.mean)
    return (
        max(0.0, figure.mean - math.hypot(below_j, figure.mean - low_j)),
        figure.mean + math.hypot(above_j, high_j - figure.mean),
    )


def metrics_of(records: Sequence[RunRecord]) -> dict[str, Figure]:
    """The figures of merit that the runs carry."""
    return _by_name(record.metrics for record in records)


def per_unit_of(records: Sequence[RunRecord]) -> dict[str, Figure]:
    """Joules per unit of work, by unit."""
    return _by_name({one.unit: one.energy_j for one in record.per} for record in records)


def _by_name(rows: Iterable[Mapping[str, float]]) -> dict[str, Figure]:
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, []).append(value)
    figures = {name: figure_of(found) for name, found in values.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}
