"""12: the counter's energy against the integral of the power readings, over the same seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from itertools import pairwise

from benchmarks.gpu.card import AVERAGE, INSTANT
from benchmarks.gpu.figures import per_cent
from benchmarks.gpu.seams import STEADY, Bench, Experiment, LoadSpec, Outcome, Row

SECONDS = 60.0
SETTLE_S = 3.0
PAUSE_S = 0.01
LOADS: dict[str, LoadSpec | None] = {"idle": None, "steady": STEADY, "square 1.05 s": LoadSpec(1.05, 0.6)}
FIELDS = {"instant": INSTANT, "average": AVERAGE}


@dataclass(frozen=True, slots=True)
class Poll:
    """One look at everything; power fields that the card lacks are left out."""

    at_s: float
    energy_mj: int
    power_mw: dict[str, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Energies of the same span."""

    span_s: float
    counter_j: float
    integral_j: dict[str, float]
    difference: dict[str, float]
    """Integral over counter, minus one."""


def collect(bench: Bench, spec: LoadSpec | None) -> list[Poll]:
    """The polls of a while under the load."""
    load: AbstractContextManager[object] = nullcontext() if spec is None else bench.loads.start(spec)
    with load:
        bench.clock.sleep(SETTLE_S)
        names = [name for name, field in FIELDS.items() if bench.card.has(field)]
        polls = []
        end_s = bench.clock.now_s() + bench.seconds(SECONDS)
        while bench.clock.now_s() < end_s:
            bench.clock.sleep(PAUSE_S)
            at_s, energy_mj = bench.clock.now_s(), bench.card.energy_mj()
            polls.append(Poll(at_s, energy_mj, {name: bench.card.field(FIELDS[name]).value for name in names}))
        return polls


def analyse(polls: Sequence[Poll]) -> Comparison | None:
    """Both energies between the counter's first move and its last; None where it moved less than twice."""
    moves = [number for number in range(1, len(polls)) if polls[number].energy_mj != polls[number - 1].energy_mj]
    if len(moves) < 2:
        return None
    span = polls[moves[0] : moves[-1] + 1]
    counter_j = (span[-1].energy_mj - span[0].energy_mj) / 1e3
    integral_j = {name: integrate_j(span, name) for name in span[0].power_mw}
    difference = {name: energy_j / counter_j - 1 if counter_j else math.nan for name, energy_j in integral_j.items()}
    return Comparison(span[-1].at_s - span[0].at_s, counter_j, integral_j, difference)


def integrate_j(polls: Sequence[Poll], name: str) -> float:
    """The field's power, held from poll to poll: a published reading is of the time before it."""
    return sum((after.at_s - before.at_s) * after.power_mw[name] / 1e3 for before, after in pairwise(polls))


def words(found: Comparison | None) -> str:
    """The figures of one load."""
    if found is None:
        return "the counter does not move"
    parts = [f"{name} {per_cent(part)}" for name, part in found.difference.items()]
    beside = "; integrals differ: " + ", ".join(parts) if parts else "; no power fields to compare with"
    return f"counter {found.counter_j:.1f} J in {found.span_s:.1f} s{beside}"


def run(bench: Bench) -> Outcome:
    """The whole experiment; without loads only the idle card."""
    data: dict[str, object] = {}
    table: list[Row] = []
    for name, spec in LOADS.items():
        if spec is not None and bench.loads.missing:
            data[name] = {"unavailable": bench.loads.missing}
            table.append((name, bench.loads.missing))
            continue
        found = analyse(collect(bench, spec))
        data[name] = found and asdict(found)
        table.append((name, words(found)))
    return Outcome(data, table)


EXPERIMENT = Experiment("integral", "12 Counter against integral of power", run, 210)
