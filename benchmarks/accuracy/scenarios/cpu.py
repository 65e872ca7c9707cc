"""Processes on two sockets with RAPL (R11 of science F4)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from functools import partial

from aipower.model import Device, ProcessId
from benchmarks.accuracy.case import AFTER_S, START_S, Case, Part, Scenario, Watcher, vary, within
from benchmarks.accuracy.scenarios.parts import noisy
from benchmarks.accuracy.sensors import MODELS, Model, publish
from benchmarks.accuracy.truth import Steps, Sum
from benchmarks.accuracy.usage import CountedCpu
from benchmarks.accuracy.world import process

SOCKETS = 2
STATIC_W, CPUS = 95.0, 32
"""Of one socket (science of F3), and its logical CPUs."""
PER_CPU_W = {"avx": 6.0, "scalar": 3.2, "smt": 1.5, "stalled": 1.2}
"""Watts that one busy logical CPU adds: wide vectors, plain code, the second thread of a core, waiting for memory."""

Courses = Mapping[ProcessId, Steps]
Lengths = tuple[float, float] | None
"""Shortest and longest phase in seconds; None for a single one."""


def sockets(rng: random.Random, usual_s: float, phase_s: Lengths, watcher: Watcher) -> Case:
    """One process of each kind on each of two sockets, each with phases of its own or always at one level."""
    end_s = START_S + vary(rng, usual_s)
    model = MODELS[rng.choice(("rapl", "rapl-amd"))]
    kinds = [{process(500 + 10 * number + k): kind for k, kind in enumerate(PER_CPU_W)} for number in range(SOCKETS)]
    parts = [socket(number, model, kinds[number], rng, end_s, phase_s) for number in range(SOCKETS)]
    return Case(parts, end_s, watcher, {who: kind for own in kinds for who, kind in own.items()})


def socket(
    number: int,
    model: Model,
    kinds: Mapping[ProcessId, str],
    rng: random.Random,
    end_s: float,
    phase_s: Lengths,
) -> Part:
    """One socket with a process of each kind."""
    intensity_w = {kind: vary(rng, watts) for kind, watts in PER_CPU_W.items()}
    busy: Courses = {who: _course(rng, end_s, phase_s) for who in kinds}
    drawn = {who: course.scaled(intensity_w[kinds[who]]) for who, course in busy.items()}
    power = noisy(Sum((Steps([(0.0, vary(rng, STATIC_W))]), *drawn.values())), rng, end_s)
    return Part(
        Device(f"package-{number}", "cpu", "simulated", str(number)),
        power,
        model,
        publish(power, model, rng),
        CountedCpu(busy, CPUS),
        {who: course.between_j(0.0, end_s + AFTER_S) for who, course in drawn.items()},
    )


def _course(rng: random.Random, end_s: float, phase_s: Lengths) -> Steps:
    """Busy logical CPUs of one process: a quarter of the socket at most, and often nothing where there are phases."""
    steps, at_s = [(0.0, 0.0)], START_S
    while at_s < end_s:
        level = rng.uniform(1.0, CPUS / 4) if phase_s is None or rng.random() < 0.6 else 0.0
        steps.append((at_s, level))
        at_s += rng.uniform(*phase_s) if phase_s else end_s
    return Steps([*steps, (end_s, 0.0)])


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    phased = partial(sockets, usual_s=600.0, phase_s=(5.0, 30.0), watcher="agent")
    yield Scenario("cpu/phased-10min", phased, within(1.0, "process"))
    steady = partial(sockets, usual_s=60.0, phase_s=None, watcher="agent")
    yield Scenario("cpu/steady-mix", steady)
    command = partial(sockets, usual_s=60.0, phase_s=(2.0, 10.0), watcher="run")
    yield Scenario("cpu/command", command, within(1.0, "process"))
