"""Two runs on one card whose scale nobody knows: their comparison is not to suffer from it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from benchmarks.accuracy.case import START_S, Case, Scenario, vary
from benchmarks.accuracy.published import Card
from benchmarks.accuracy.scenarios.parts import cut, shared_case
from benchmarks.accuracy.scenarios.processes import IDLE_W, LOADING_S, STEP_W
from benchmarks.accuracy.world import Holding, Stretch, compose, process

GAINS = (0.91, 1.06)
"""Of real cards (science of A2)."""
BETTER = 0.05
"""By how much the second run may differ from the first."""
PHASES = 6


def twice(rng: random.Random, usual_s: float) -> Case:
    """The same job twice, the second time a little different."""
    card = Card(rng.uniform(*GAINS))
    seconds, watts, idle_w, step_w = vary(rng, usual_s), vary(rng, 350.0), vary(rng, IDLE_W), vary(rng, STEP_W)
    first = _job(rng, card, seconds, watts, idle_w, step_w)
    second = _job(rng, card, seconds, vary(rng, watts, BETTER), idle_w, step_w)
    return replace(first, again=second)


def _job(rng: random.Random, card: Card, seconds: float, watts: float, idle_w: float, step_w: float) -> Case:
    end_s, who = START_S + seconds, process(961)
    at_s = START_S + min(LOADING_S, seconds / 4)
    stretches: list[Stretch] = []
    for number, span_s in enumerate(cut(end_s - at_s, PHASES, rng)):
        if number % 3:
            stretches.append(Stretch(who, at_s, at_s + span_s, watts))
        at_s += span_s
    world = compose(idle_w, step_w, stretches, [Holding(who, START_S, end_s)])
    return shared_case(world, rng, end_s, card=card)


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    for seconds in (5.0, 60.0):
        yield Scenario(f"again/{seconds:g}s", partial(twice, usual_s=seconds))
