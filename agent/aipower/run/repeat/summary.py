"""What a series comes to: schema `aipower.series/1`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from aipower.record.compose import printable
from aipower.run.repeat.figures import KINDS, Energy, Figure, energy_of, figure_of, metrics_of, per_unit_of
from aipower.run.repeat.oddities import Trend, first_excess, outliers, trend
from aipower.run.repeat.options import SeriesOptions
from aipower.run.repeat.play import Play, measured
from aipower.runrecord import Energies, Interval, Intervals, RunRecord

SCHEMA = "aipower.series/1"


class Failure(Struct, frozen=True):
    """A repetition that failed: it is in no mean."""

    index: int
    exit_code: int


class WarmStart(Struct, frozen=True):
    """A device that was not back at its idle power when a repetition began."""

    index: int
    device: str
    power_w: float
    idle_w: float


class SeriesSummary(Struct, frozen=True):
    """A series of runs. Energies are those of the runs' own processes, in joules."""

    schema: str
    id: str
    name: str
    command: list[str]
    repetitions: int
    """How many were asked for."""
    warmup: int
    cool_down: str | float
    exit_code: int
    mean_j: Energies
    interval_j: Intervals
    """Absolute: with the sensors' scale and all else that may be the same in each run."""
    repeatable_interval_j: Intervals
    """95 % interval of the mean by Student's t, from the spread alone: for comparing series on the same devices."""
    energy: dict[str, Figure]
    """Mean, spread and extremes by kind: `total`, `gpu`, `cpu`, `dram`."""
    estimated_cpu_j: Figure | None
    """By a model, where a processor was not measured; no part of any mean above."""
    wall_s: Figure | None
    metrics: dict[str, Figure]
    per: dict[str, Figure]
    """Joules per unit of work, by unit."""
    left_out: list[int]
    """Repetitions that succeeded and are in no mean of energy, because not all of their energy is known."""
    failed: list[Failure]
    cut_short: list[int]
    """Repetitions during which the series was ended: in no mean."""
    outliers: list[int]
    first_excess: float | None
    """By which part the first repetition used more energy, or took longer, than the others; None where it did not."""
    drift: float | None
    """By which part the energy has changed over the series; None where no trend is to be seen."""
    started_warm: list[WarmStart]
    notes: list[str]
    records: list[RunRecord]
    """Of all repetitions that have ended, failed ones included; warm-ups are not."""
    simulated: bool = False
    mean_of: list[int] = field(default_factory=list)
    """The repetitions whose energy is in the means."""


def summarize(
    options: SeriesOptions, series_id: str, plays: Sequence[Play], exit_code: int, notes: Sequence[str]
) -> SeriesSummary:
    """The summary of the `plays`."""
    counted = [play for play in plays if play.counts]
    whole = comparable(counted)
    records = [play.record for play in whole]
    energies = {kind: found for kind in KINDS if (found := energy_of(records, kind)) is not None}
    totals_j = {play.index: j for play in whole if (j := play.record.energy_j.total) is not None}
    walls_s = {play.index: play.record.wall_s for play in counted}
    return SeriesSummary(
        schema=SCHEMA,
        id=series_id,
        name=printable(options.name),
        command=[printable(word) for word in options.command],
        repetitions=options.repetitions,
        warmup=options.warmup,
        cool_down=options.cool_down,
        exit_code=exit_code,
        mean_j=_means(energies),
        interval_j=Intervals(**{kind: energy.absolute_j for kind, energy in energies.items()}),
        repeatable_interval_j=Intervals(**{kind: _above_zero(energy) for kind, energy in energies.items()}),
        energy={kind: energy.figure for kind, energy in energies.items()},
        estimated_cpu_j=figure_of([j for play in counted if (j := play.record.estimated_j.cpu) is not None]),
        wall_s=figure_of(list(walls_s.values())),
        metrics=metrics_of([play.record for play in counted]),
        per=per_unit_of(records),
        left_out=[play.index for play in counted if play not in whole],
        failed=[Failure(play.index, play.exit_code) for play in plays if play.index and play.exit_code],
        cut_short=[play.index for play in plays if play.index and play.cut],
        outliers=sorted(_standing_out(totals_j) | _standing_out(walls_s)),
        first_excess=_first_excess(totals_j) or _first_excess(walls_s),
        drift=_relative(trend(list(totals_j.values()))),
        started_warm=[WarmStart(p.index, d, *at) for p in plays if p.index for d, at in p.warm.items()],
        notes=list(notes),
        records=[play.record for play in plays if play.index],
        simulated=any(play.record.simulated for play in plays),
        mean_of=list(totals_j),
    )


def comparable(plays: Sequence[Play]) -> list[Play]:
    """Those whose energy is known of the same devices as that of most devices, and of the whole run, where any is."""
    devices = frozenset[str]().union(*(measured(play.record) for play in plays))
    whole = [play for play in plays if play.record.complete and measured(play.record) == devices]
    return whole or list(plays)


def to_json(summary: SeriesSummary) -> bytes:
    """The summary as indented JSON."""
    import msgspec  # noqa: PLC0415 - only where JSON was asked for

    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def _means(energies: dict[str, Energy]) -> Energies:
    return Energies(**{kind: energy.figure.mean for kind, energy in energies.items()})


def _above_zero(energy: Energy) -> Interval | None:
    interval_j = energy.figure.interval
    return (max(0.0, interval_j[0]), interval_j[1]) if interval_j else None


def _standing_out(values: Mapping[int, float]) -> set[int]:
    indices = list(values)
    return {indices[place] for place in outliers(list(values.values()))}


def _first_excess(values: Mapping[int, float]) -> float | None:
    """Only the very first repetition tells of a missing warm-up."""
    return first_excess(list(values.values())) if 1 in values else None


def _relative(found: Trend | None) -> float | None:
    return found.relative if found else None
