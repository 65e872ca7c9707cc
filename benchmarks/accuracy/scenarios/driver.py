"""The product's own source of GPU usage over a simulated driver: pids, whole percents, wall-clock stamps, garbage."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from aipower.model import ProcessId
from aipower.seams import UsageSource
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.usage import GpuUsage
from benchmarks.accuracy.case import START_S, Case, Part, Scenario, vary, within
from benchmarks.accuracy.machine import SimulatedClock
from benchmarks.accuracy.nvml import SimulatedNvml
from benchmarks.accuracy.scenarios.parts import shared_case
from benchmarks.accuracy.scenarios.processes import IDLE_W, LOADING_S, STEP_W, pair, turns
from benchmarks.accuracy.usage import SampledGpu
from benchmarks.accuracy.world import Holding, Stretch, compose, process

TOMBSTONE_S = 10.0
"""For how long a pid without a process still means its last one."""
GARBAGE = 0.2
"""Share of the answers with rows that cannot be."""
CLOCK_STEP_S = (-3600.0, -5.0, 5.0, 3600.0)
REUSED, TURN_S = 4321, 0.005
LEVELS_W = (400.0, 150.0)


def through_the_driver(case: Case, garbage: float, rng: random.Random) -> Case:
    """`case`, its usage asked for as on a real GPU."""
    seed = rng.random()
    return replace(case, parts=[replace(part, source=_source(part, garbage, seed)) for part in case.parts])


def _source(part: Part, garbage: float, seed: float) -> Callable[[SimulatedClock], UsageSource]:
    activity = part.activity
    assert isinstance(activity, SampledGpu)

    def start(clock: SimulatedClock) -> UsageSource:
        def resolve(named: Iterable[tuple[int, float | None]]) -> list[ProcessId | None]:
            return [_resolve(part, clock, pid, sampled_unix_s) for pid, sampled_unix_s in named]

        nvml = SimulatedNvml(activity, clock, random.Random(seed), garbage)
        return GpuUsage(Driver(nvml), 0, resolve, clock)

    return start


def _resolve(part: Part, clock: SimulatedClock, pid: int, sampled_unix_s: float | None) -> ProcessId | None:
    """The process of `pid` at the time of the sample, as far back as a process table remembers."""
    now_s = clock.monotonic_s()
    known = [h for h in part.holdings if h.process.pid == pid and h.start_s <= now_s < h.end_s + TOMBSTONE_S]
    begun = [h for h in known if sampled_unix_s is None or clock.unix_at(h.start_s) <= sampled_unix_s]
    return max(begun or known, key=lambda holding: holding.start_s).process if known else None


def usual(rng: random.Random, garbage: float = 0.0) -> Case:
    """The pair with solo phases."""
    return through_the_driver(pair(rng, solo=True), garbage, rng)


def clock_step(rng: random.Random) -> Case:
    """Somebody sets the wall clock while the pair works."""
    case = usual(rng)
    return replace(case, wall_steps=[(rng.uniform(case.start_s + 5, case.end_s - 5), rng.choice(CLOCK_STEP_S))])


def pid_reuse(rng: random.Random) -> Case:
    """Beside a long job, short ones of two kinds that all have one pid, each begun within a second of the last."""
    end_s = START_S + vary(rng, 120.0)
    long, long_w = process(100), vary(rng, 250.0)
    levels_w = [vary(rng, watts) for watts in LEVELS_W]
    at_s, stretches, holdings = START_S + vary(rng, LOADING_S), list[Stretch](), [Holding(long, START_S, end_s)]
    names = {long: "long"}
    while (until_s := at_s + rng.uniform(3.0, 8.0)) < end_s:
        kind, short = len(names) % 2, ProcessId("simulated", REUSED, round(100 * at_s))
        stretches += turns([(short, levels_w[kind]), (long, long_w)], at_s, until_s, TURN_S)
        holdings.append(Holding(short, at_s, until_s))
        names[short] = f"kind{kind}"
        at_s = until_s + rng.uniform(0.1, 0.9)
        stretches.append(Stretch(long, until_s, at_s, long_w))
    world = compose(vary(rng, IDLE_W), vary(rng, STEP_W), stretches, holdings)
    return through_the_driver(shared_case(world, rng, end_s, names=names), 0.0, rng)


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    yield Scenario("driver/pair", usual, within(2.0, "process"))
    yield Scenario("driver/garbage-rows", partial(usual, garbage=GARBAGE), within(2.0, "process"))
    yield Scenario("driver/clock-step", clock_step, within(2.0, "process"))
    yield Scenario("driver/pid-reuse", pid_reuse)
