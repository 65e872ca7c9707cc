"""Pairs that the real pipeline has measured: simulated cards, sensors and drivers, the product's own meter."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from aipower.compare.sides import side
from aipower.record.device_rows import Span, device_row
from aipower.runrecord import DeviceRecord, Energies, Intervals, RunRecord
from benchmarks.accuracy.case import START_S, Case, vary
from benchmarks.accuracy.pipeline import Watch
from benchmarks.accuracy.published import Card
from benchmarks.accuracy.scenarios.again import GAINS
from benchmarks.accuracy.scenarios.parts import shared_case
from benchmarks.accuracy.scenarios.processes import IDLE_W, LOADING_S, STEP_W
from benchmarks.accuracy.world import Holding, Stretch, compose, process
from benchmarks.comparison.scenario import Scenario
from benchmarks.comparison.world import RUN_S, World

JOB_S = 6.0
WATTS = 350.0


@dataclass(frozen=True, slots=True)
class Job:
    """A program on a card: the same phases each time."""

    card: Card
    seconds: float
    watts: float
    idle_w: float
    step_w: float
    parts: Sequence[float]
    """The lengths of its phases, as parts of the whole; each third one computes nothing."""

    def case(self, rng: random.Random, factor: float) -> Case:
        """One run, with `factor` times the usual power."""
        end_s, who = START_S + self.seconds, process(961)
        at_s = START_S + min(LOADING_S, self.seconds / 4)
        span_s = end_s - at_s
        stretches: list[Stretch] = []
        for number, part in enumerate(self.parts):
            if number % 3:
                stretches.append(Stretch(who, at_s, at_s + part * span_s, factor * self.watts))
            at_s += part * span_s
        world = compose(self.idle_w, self.step_w, stretches, [Holding(who, START_S, end_s)])
        return shared_case(world, rng, end_s, card=self.card)


def measured_world(scenario: Scenario, rng: random.Random) -> World:
    """A pair on one card whose gain nobody knows, measured by the product."""
    job = _job(rng)
    factor = 1 - scenario.saving_percent / 100
    runs = [
        [_run(job, rng, power, scenario.spread_percent[which] / 100, f"{which}-{n}") for n in range(count)]
        for which, (power, count) in enumerate(zip((1.0, factor), scenario.runs, strict=True))
    ]
    base_j, other_j = (_true_j(job.case(random.Random(1), power)) for power in (1.0, factor))
    return World(side("base", runs[0]), (side("other", runs[1]),), math.log(other_j / base_j), other_j - base_j)


def _job(rng: random.Random) -> Job:
    cuts = [rng.uniform(0.5, 1.5) for _ in range(6)]
    parts = [cut / sum(cuts) for cut in cuts]
    card = Card(rng.uniform(*GAINS))
    return Job(card, vary(rng, JOB_S), vary(rng, WATTS), vary(rng, IDLE_W), vary(rng, STEP_W), parts)


def _run(job: Job, rng: random.Random, power: float, spread: float, run_id: str) -> RunRecord:
    case = job.case(rng, power * rng.lognormvariate(0, spread))
    watch = Watch(case, rng)
    watch.run()
    wall_s = case.end_s - case.start_s
    row = device_row(watch.meter.channels[0], watch.ledger, Span(wall_s, 0.0, 1))
    return _record(row, wall_s, run_id)


def _true_j(case: Case) -> float:
    return sum(sum(part.joules.values()) for part in case.parts)


def _record(row: DeviceRecord, wall_s: float, run_id: str) -> RunRecord:
    """The record of a run on one device."""
    which, _, number = run_id.partition("-")
    return RunRecord(
        run_id=run_id,
        name=which,
        command=[which],
        exit_code=0,
        started_unix_s=RUN_S * (float(number) + 100 * float(which)),
        wall_s=wall_s,
        host="simulated",
        energy_j=Energies(total=row.run_energy_j, gpu=row.run_energy_j),
        interval_j=Intervals(total=row.run_interval_j, gpu=row.run_interval_j),
        repeatable_interval_j=Intervals(total=row.repeatable_run_interval_j, gpu=row.repeatable_run_interval_j),
        estimated_j=Energies(),
        estimated_interval_j=Intervals(),
        devices=[row],
        processes=[],
        faults=[],
        not_measured=[],
        cpu_time_s=wall_s,
        max_rss_bytes=0,
        surviving_processes=0,
        complete=True,
        simulated=True,
        version="simulated",
    )
