"""Contexts that are held and do nothing (R10 of science F4)."""

from __future__ import annotations

import random
from collections.abc import Iterable

from benchmarks.accuracy.case import START_S, Case, Scenario, vary, within
from benchmarks.accuracy.scenarios.parts import shared_case
from benchmarks.accuracy.world import Holding, compose, process

MEMORY_GB = (2.0, 10.0, 24.0, 40.0)
STEPS_W = (26.0, 66.0)
"""What a context adds on HBM parts and on an L40S (science finding 5)."""


def parked(rng: random.Random) -> Case:
    """Four models of different size wait; one leaves, another comes."""
    seconds = vary(rng, 300.0)
    end_s = START_S + seconds
    leaves_s, comes_s = START_S + seconds * rng.uniform(0.2, 0.8), START_S + seconds * rng.uniform(0.2, 0.8)
    sizes = rng.sample(MEMORY_GB, len(MEMORY_GB))
    holdings = [
        Holding(process(401), START_S, leaves_s, sizes[0]),
        Holding(process(402), START_S, end_s, sizes[1]),
        Holding(process(403), START_S, end_s, sizes[2]),
        Holding(process(404), comes_s, end_s, sizes[3]),
    ]
    world = compose(vary(rng, 60.0), rng.uniform(*STEPS_W), [], holdings)
    return shared_case(world, rng, end_s, watcher="agent")


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    yield Scenario("parked/four-contexts", parked, within(1.0, "process"))
