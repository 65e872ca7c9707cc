"""The energy of a whole GPU (R1 to R6 of science F4)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from functools import partial

from benchmarks.accuracy.case import START_S, Case, Scenario, Target, vary, within
from benchmarks.accuracy.scenarios.parts import device_case, on_off
from benchmarks.accuracy.truth import Power, Steps, Sum, Warming

IDLE_W, BUSY_W = 60.0, 400.0
RATIOS = ("1/2", "2/3", "3/4", "4/5", "1/1", "6/5", "5/4", "4/3")
"""Periods of a load in updates of the sensor, where part-time sensors alias."""
STEADY_MODELS = (
    "pascal", "v100", "turing", "rtx8000", "ga100", "ga100-part", "ada", "ada-530", "ada-stale",
    "h100", "h100-part-average", "h100-part-counter", "h100-part", "average-only",
)  # fmt: skip
PART_TIME = ("ga100", "ga100-part", "h100", "h100-part")
FULL_AND_PART = ("h100", "ga100", "ga100-part")


def steady(rng: random.Random, model: str) -> Case:
    """The same power before, during and after; R1 has 300 W while the job runs."""
    seconds = vary(rng, 60.0)
    return device_case(_burst(rng, seconds, 300.0), model, rng, seconds)


def burst(rng: random.Random, model: str, usual_s: float) -> Case:
    """Busy exactly while the run lasts."""
    seconds = vary(rng, usual_s)
    return device_case(_burst(rng, seconds, BUSY_W), model, rng, seconds)


def neighbour(rng: random.Random, model: str, usual_s: float) -> Case:
    """A burst beside somebody who switches 150 W every 30 to 400 ms."""
    seconds, noise_w = vary(rng, usual_s), vary(rng, 150.0)
    edges_s = [START_S - 5]
    while edges_s[-1] < START_S + seconds + 3:
        edges_s.append(edges_s[-1] + rng.uniform(0.03, 0.4))
    other = Steps([(0.0, 0.0), *((at_s, noise_w * (k % 2)) for k, at_s in enumerate(edges_s))])
    return device_case(Sum((_burst(rng, seconds, BUSY_W), other)), model, rng, seconds)


def square(rng: random.Random, model: str, period_s: float) -> Case:
    """On and off, half and half, with one exact period."""
    seconds, busy_w = vary(rng, 30.0), vary(rng, BUSY_W)
    steps = on_off(rng, START_S, START_S + seconds, vary(rng, IDLE_W), lambda _: (period_s / 2, period_s / 2, busy_w))
    return device_case(Steps(steps), model, rng, seconds, busy=_above(steps))


def decode(rng: random.Random, model: str) -> Case:
    """A language model: prefill and decode of one request after the other, pauses between."""
    seconds, idle_w = vary(rng, 60.0), vary(rng, IDLE_W)
    levels_w = vary(rng, 450.0), vary(rng, 250.0)
    steps: list[tuple[float, float]] = [(0.0, idle_w)]
    at_s, end_s = START_S, START_S + seconds
    while at_s < end_s:
        prefill_s, decode_s, pause_s = rng.uniform(0.05, 0.4), rng.uniform(0.5, 4.0), rng.expovariate(2.0)
        steps += [(at_s, levels_w[0]), (at_s + prefill_s, levels_w[1]), (at_s + prefill_s + decode_s, idle_w)]
        at_s += prefill_s + decode_s + pause_s
    kept = [*(step for step in steps if step[0] < end_s), (end_s, idle_w)]
    return device_case(Steps(kept), model, rng, seconds, busy=_above(kept))


def sparse(rng: random.Random, model: str) -> Case:
    """Kernels of 40 ms, 2.5 in a second, at random."""
    seconds, kernel_s, busy_w = vary(rng, 60.0), vary(rng, 0.04), vary(rng, 300.0)
    steps = on_off(
        rng, START_S, START_S + seconds, vary(rng, IDLE_W), lambda r: (kernel_s, r.expovariate(1 / 0.36), busy_w)
    )
    return device_case(Steps(steps), model, rng, seconds, busy=_above(steps))


def training(rng: random.Random, model: str) -> Case:
    """Steps of 1.05 s: computing, then exchanging at lower power."""
    seconds, period_s, share = vary(rng, 60.0), vary(rng, 1.05, 0.02), rng.uniform(0.7, 0.9)
    busy_w, low_w = vary(rng, 450.0), vary(rng, 180.0)
    start_s, end_s = START_S, START_S + seconds
    inside = on_off(rng, start_s, end_s, low_w, lambda _: (share * period_s, (1 - share) * period_s, busy_w))
    idle_w = vary(rng, IDLE_W)
    steps = [(at_s, watts) for at_s, watts in inside if start_s <= at_s < end_s]
    return device_case(Steps([(0.0, idle_w), (start_s, low_w), *steps, (end_s, idle_w)]), model, rng, seconds)


def drift(rng: random.Random, model: str) -> Case:
    """A chip that warms up: 8 % more power with a time constant of 60 s."""
    seconds, busy_w = vary(rng, 120.0), vary(rng, 350.0)
    warming = Warming(START_S, START_S + seconds, vary(rng, 0.08) * busy_w, vary(rng, 60.0))
    return device_case(Sum((_burst(rng, seconds, busy_w), warming)), model, rng, seconds)


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    for model in STEADY_MODELS:
        yield Scenario(f"device/steady/{model}", partial(steady, model=model), within(0.05))
    for model in ("h100", "ga100", "v100"):
        for seconds, target in ((8.0, 0.05), (2.5, 0.1), (0.15, 1.0)):
            name = f"device/burst-{seconds}s/{model}"
            yield Scenario(name, partial(burst, model=model, usual_s=seconds), within(target))
    for seconds, target in ((60.0, 0.05), (8.0, 0.3), (2.5, 0.5), (0.15, 10.0)):
        build = partial(neighbour, model="h100", usual_s=seconds)
        yield Scenario(f"device/neighbour-{seconds}s/h100", build, within(target))
    yield from _squares()
    for name, shape, target in (("decode", decode, 0.03), ("sparse", sparse, 0.02), ("train", training, 0.06)):
        for model in FULL_AND_PART:
            reached = {} if "part" in model else within(target)
            yield Scenario(f"device/{name}/{model}", partial(shape, model=model), reached)
    yield Scenario("device/drift/h100", partial(drift, model="h100"), within(0.03))


def _squares() -> Iterable[Scenario]:
    for model in PART_TIME:
        target = {"device": Target(0.1, or_flagged=True)}
        for period_s in (0.025, 0.8):
            build = partial(square, model=model, period_s=period_s)
            yield Scenario(f"device/square-{round(1000 * period_s)}ms/{model}", build, target)
        for ratio in RATIOS:
            above, below = map(int, ratio.split("/"))
            build = partial(square, model=model, period_s=0.1 * above / below)
            name = f"device/square-{above}:{below}/{model}"
            yield Scenario(name, build, target)


def _above(steps: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """When power is above that of the first step: the device works."""
    idle_w = steps[0][1]
    return [(at_s, until_s) for (at_s, watts), (until_s, _) in itertools.pairwise(steps) if watts > idle_w]


def _burst(rng: random.Random, seconds: float, busy_w: float) -> Power:
    idle_w = vary(rng, IDLE_W)
    return Steps([(0.0, idle_w), (START_S, vary(rng, busy_w)), (START_S + seconds, idle_w)])
