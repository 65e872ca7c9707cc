"""How the agent's cost grows with the node and with the rate."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.suite.table import Options, Table
from benchmarks.watching import chart, plan
from benchmarks.watching.agent import describe
from benchmarks.watching.arm import Timing
from benchmarks.watching.discovery import discovery_table
from benchmarks.watching.field import Arm, Field, field, run
from benchmarks.watching.fit import Line, last_exponent, line, power_law, verdict
from benchmarks.watching.node import Point
from benchmarks.watching.programs import AIPOWER


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity that grows, and the values that it takes."""

    axis: str
    unit: str
    values: Sequence[float]
    rapl: bool = False
    """Without RAPL nobody asks what host processes do."""

    def points(self) -> Sequence[Point]:
        """The nodes, smallest first."""
        changes: Sequence[dict[str, Any]] = [{self.axis: value, "rapl": self.rapl} for value in self.values]
        return [replace(plan.CENTRE, **change) for change in changes]


SERIES = (
    Series("gpus", "GPUs", (1, 2, 4, 8, 16)),
    Series("gpu_processes", "GPU processes", (16, 32, 64, 128, 256, 400)),
    Series("host_processes", "host processes", (400, 800, 1600, 3200, 5000), rapl=True),
    Series("rate_hz", "Hz", (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)),
)
QUICK = (
    Series("gpu_processes", "GPU processes", (16, 100, 400)),
    Series("rate_hz", "Hz", (2.0, 10.0, 50.0)),
)
FULL_TIMING, QUICK_TIMING = Timing(7, 10, 0), Timing(1, 2, 0)
ROUNDS = 2
LEAST_SIZES = 3
"""Fewer tell nothing of how it grows."""
Found = Mapping[Point, Sequence[float]]


def tables(options: Options) -> Sequence[Table]:
    """Measure all: about eight minutes on two cores, quick half a minute."""
    series = QUICK if options.quick else SERIES
    timing, rounds = (QUICK_TIMING, 1) if options.quick else (FULL_TIMING, ROUNDS)
    with field(options) as place:
        found = _costs(place, series, timing, rounds)
        for one in series:
            _plot(one, found, options.plots)
        return [fit_table(series, found), values_table(series, found), discovery_table(place, quick=options.quick)]


def _costs(place: Field, series: Sequence[Series], timing: Timing, rounds: int) -> Found:
    found: dict[Point, list[float]] = {}
    arms = [Arm(AIPOWER, point) for point in dict.fromkeys(point for one in series for point in one.points())]
    for number in range(rounds):
        for arm, cost in run(place, arms, timing):
            print(f"growth: round {number + 1} of {rounds}: {plan.name(arm.point)}", file=sys.stderr)
            if cost is not None:
                found.setdefault(arm.point, []).append(cost.cpu_percent)
    return found


def _measured(series: Series, found: Found) -> tuple[list[float], list[float]]:
    """Sizes and costs, a pair for each round."""
    pairs = [
        (value, cost)
        for value, point in zip(series.values, series.points(), strict=True)
        for cost in found.get(point, ())
    ]
    return [x for x, _ in pairs], [y for _, y in pairs]


def fit_table(series: Sequence[Series], found: Found) -> Table:
    """What was fitted to each series."""
    columns = (
        "what grows", "from", "to", "exponent", "95 % interval", "over the last step", "CPU % at zero",
        "CPU % for each", "R2 of the line", "verdict",
    )  # fmt: skip
    notes = (
        f"aipower alone, around the node of the budget: {describe(plan.CENTRE)}; host processes with RAPL.",
        "The exponent is that of a power law through all points: 1 is in proportion, less is better.",
        "What the agent costs without any load lowers it, so the one over the last step stands beside it.",
        "The line is CPU = at zero + for each * size, in percent of a core.",
    )
    return Table("growth-fit", "How the cost grows", columns, tuple(_fit_row(one, found) for one in series), notes)


def _fit_row(series: Series, found: Found) -> tuple[str, ...]:
    xs, ys = _measured(series, found)
    name = series.unit + (", RAPL" if series.rapl else "")
    if len(set(xs)) < LEAST_SIZES:
        return name, *["-"] * 8, "not measured"
    straight, power, last = line(xs, ys), power_law(xs, ys), last_exponent(xs, ys)
    return (
        name,
        f"{min(xs):g}",
        f"{max(xs):g}",
        f"{power.exponent:.2f}",
        f"{power.low:.2f} to {power.high:.2f}",
        f"{last:.2f}",
        f"{straight.at_zero:.2f}",
        f"{straight.slope:.4f}",
        f"{straight.r2:.3f}",
        verdict(power, last),
    )


def values_table(series: Sequence[Series], found: Found) -> Table:
    """All that was measured."""
    rows = tuple(
        (f"{value:g} {one.unit}", ", ".join(f"{cost:.2f}" for cost in found.get(point, ())))
        for one in series
        for value, point in zip(one.values, one.points(), strict=True)
    )
    return Table("growth-values", "The costs behind it", ("size", "CPU, % of a core, of each round"), rows)


def _plot(series: Series, found: Found, folder: Path) -> None:
    xs, ys = _measured(series, found)
    if len(set(xs)) < LEAST_SIZES:
        return
    straight: Line = line(xs, ys)
    picture = chart.Chart(
        f"CPU of the agent against {series.unit}",
        series.unit,
        "percent of a core",
        list(zip(xs, ys, strict=True)),
        [(0.0, max(0.0, straight.at_zero)), (max(xs), straight.at(max(xs)))],
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"growth-{series.axis.replace('_', '-')}.svg").write_text(chart.draw(picture))
