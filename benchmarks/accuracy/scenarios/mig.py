"""Instances of one GPU (R9 of science F4): the device has one meter, each instance its activity."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from aipower.model import ProcessId
from benchmarks.accuracy.case import START_S, Case, Part, Scenario, vary, within
from benchmarks.accuracy.scenarios.parts import gpu, noisy
from benchmarks.accuracy.sensors import MODELS, publish
from benchmarks.accuracy.truth import Steps, Sum
from benchmarks.accuracy.usage import SlicedGpu
from benchmarks.accuracy.world import Holding, process

SLICES = (1, 2, 4)
OF = 7
FULL_W = (150.0, 250.0, 200.0)
"""Of a whole GPU at full activity of its SM, tensor cores and memory."""
BENT = (0.85, 1.1, 0.9)
"""Exponents of activity where the truth is not linear."""
PHASE_S = (5.0, 20.0)
IDLE_W, STEP_W = 60.0, 40.0

Measures = tuple[float, ...]


def instances(rng: random.Random, *, bent: bool, noise: float) -> Case:
    """1g, 2g and 4g, each with one process whose activities change in phases of their own."""
    seconds = vary(rng, 600.0)
    end_s = START_S + seconds
    full_w = [vary(rng, watts) for watts in FULL_W]
    shares = {process(601 + k): slices / OF for k, slices in enumerate(SLICES)}
    phases = {who: _phases(rng, end_s) for who in shares}
    exponents = BENT if bent else (1.0,) * len(FULL_W)
    drawn = {who: _power(phases[who], share, full_w, exponents) for who, share in shares.items()}
    activity = {who: _measures(phases[who], share) for who, share in shares.items()}
    holdings = [Holding(who, START_S, end_s, 70.0 * share) for who, share in shares.items()]
    step_w = vary(rng, STEP_W)
    context = Steps([(0.0, 0.0), (START_S, step_w), (end_s, 0.0)])
    power = noisy(Sum((Steps([(0.0, vary(rng, IDLE_W))]), context, *drawn.values())), rng, end_s)
    error: Callable[[], float] = (lambda: max(0.0, rng.gauss(1.0, noise))) if noise else (lambda: 1.0)
    parked_j = step_w * seconds / len(shares)
    joules = {who: course.between_j(START_S, end_s) + parked_j for who, course in drawn.items()}
    model = MODELS["h100"]
    published = publish(power, model, rng)
    usage = SlicedGpu(activity, holdings, error)
    part = Part(gpu(), power, model, published, usage, joules, holdings, slices=shares)
    return Case([part], end_s, "agent", _names(shares))


def _names(shares: Iterable[ProcessId]) -> dict[ProcessId, str]:
    return {who: f"job{who.pid}" for who in shares}


def _phases(rng: random.Random, end_s: float) -> list[tuple[float, Measures]]:
    """When each phase begins, and the activities of an instance (0 to 1) in it."""
    phases: list[tuple[float, Measures]] = [(0.0, (0.0, 0.0, 0.0))]
    at_s = START_S
    while at_s < end_s:
        busy = rng.uniform(0.2, 1.0)
        phases.append((at_s, (busy, busy * rng.random(), rng.random())))
        at_s += rng.uniform(*PHASE_S)
    return [*phases, (end_s, (0.0, 0.0, 0.0))]


def _power(
    phases: Sequence[tuple[float, Measures]], share: float, full_w: Sequence[float], exponents: Sequence[float]
) -> Steps:
    return Steps(
        (at_s, share * sum(w * a**e for w, a, e in zip(full_w, measures, exponents, strict=True)))
        for at_s, measures in phases
    )


def _measures(phases: Sequence[tuple[float, Measures]], share: float) -> list[Steps]:
    return [Steps((at_s, share * measures[k]) for at_s, measures in phases) for k in range(len(FULL_W))]


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    yield Scenario("mig/linear", partial(instances, bent=False, noise=0.0), within(1.5, "process"))
    yield Scenario("mig/bent-noisy", partial(instances, bent=True, noise=0.05), within(3.0, "process"))
