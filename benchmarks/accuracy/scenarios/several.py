"""Runs on several devices, whose sums are what a person reads first (R13 of science F4)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from msgspec import structs

from aipower.model import Device, ProcessId
from benchmarks.accuracy.case import START_S, Case, Part, Scenario, vary, within
from benchmarks.accuracy.scenarios.cpu import socket
from benchmarks.accuracy.scenarios.parts import cut, gpu, noisy, shared_case
from benchmarks.accuracy.scenarios.processes import IDLE_W, LOADING_S, STEP_W
from benchmarks.accuracy.sensors import MODELS, publish
from benchmarks.accuracy.truth import Steps, Sum
from benchmarks.accuracy.world import Holding, Stretch, compose, process

JOB, OTHER = process(951), process(952)
NAMES = {JOB: "job", OTHER: "other"}
PHASES = 12
CPU_PHASE_S = (2.0, 10.0)
LOSSES_W = 60.0
"""What a module draws beside its GPU and its processor: memory, regulators, fans."""


def two_and_two(rng: random.Random) -> Case:
    """A job on two GPUs and two sockets; a stranger works on the sockets, too."""
    end_s = START_S + vary(rng, 90.0)
    parts = [_gpu_part(rng, number, end_s) for number in range(2)]
    model = MODELS[rng.choice(("rapl", "rapl-amd"))]
    kinds = {JOB: "avx", OTHER: "scalar"}
    parts += [socket(number, model, kinds, rng, end_s, CPU_PHASE_S) for number in range(2)]
    return Case(parts, end_s, names=NAMES, strangers=frozenset({OTHER}))


def grace_hopper(rng: random.Random) -> Case:
    """A module that contains a GPU and a processor, each with a sensor: who adds up all three counts twice."""
    end_s = START_S + vary(rng, 90.0)
    graphics = _gpu_part(rng, 0, end_s)
    graphics = replace(graphics, device=structs.replace(graphics.device, parent="module-0"))
    processor = socket(0, MODELS["hwmon"], {JOB: "avx", OTHER: "scalar"}, rng, end_s, CPU_PHASE_S)
    power = noisy(Sum((graphics.power, processor.power, Steps([(0.0, vary(rng, LOSSES_W))]))), rng, end_s)
    model = MODELS["hwmon"]
    device = Device("module-0", "module", "simulated", "0")
    # Nobody but its kind keeps it out of the sums: it knows its users as the GPU does.
    module = Part(device, power, model, publish(power, model, rng), graphics.activity)
    return Case([module, graphics, processor], end_s, names=NAMES, strangers=frozenset({OTHER}))


def _gpu_part(rng: random.Random, number: int, end_s: float) -> Part:
    """A GPU on which the job works in phases."""
    holdings = [Holding(JOB, START_S, end_s)]
    world = compose(vary(rng, IDLE_W), vary(rng, STEP_W), _stretches(rng, JOB, end_s), holdings)
    return replace(shared_case(world, rng, end_s).parts[0], device=gpu(number))


def _stretches(rng: random.Random, who: ProcessId, end_s: float) -> Iterable[Stretch]:
    at_s = START_S + vary(rng, LOADING_S)
    for number, span_s in enumerate(cut(end_s - at_s, PHASES, rng)):
        if number % 3:
            yield Stretch(who, at_s, at_s + span_s, vary(rng, 350.0))
        at_s += span_s


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    yield Scenario("several/two-gpus-two-sockets", two_and_two, within(1.0, "all total"))
    yield Scenario("several/grace-hopper", grace_hopper, within(1.0, "all total"))
