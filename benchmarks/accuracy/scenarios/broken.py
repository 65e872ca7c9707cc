"""Truths that no model of the product assumes: its intervals must hold all the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from aipower.model import ProcessId
from benchmarks.accuracy.case import START_S, Case, Scenario, vary
from benchmarks.accuracy.scenarios.parts import cut, shared_case
from benchmarks.accuracy.scenarios.processes import IDLE_W, STEP_W, turns
from benchmarks.accuracy.truth import Sum, Warming
from benchmarks.accuracy.world import Holding, Stretch, World, compose, process

SECONDS = 120.0
PHASES = 8


def less_than_the_sum(rng: random.Random) -> Case:
    """Two processes that run at once draw less than the sum of what each draws alone: the limit is shared."""
    end_s, factor = START_S + vary(rng, SECONDS), rng.uniform(0.65, 0.9)
    levels_w = {process(701): vary(rng, 300.0), process(702): vary(rng, 150.0)}
    stretches: list[Stretch] = []
    for who, watts in levels_w.items():
        at_s = START_S
        for number, span_s in enumerate(cut(end_s - START_S, PHASES, rng)):
            if (number + who.pid) % 3:
                stretches.append(Stretch(who, at_s, at_s + span_s, watts))
            at_s += span_s
    world = compose(vary(rng, IDLE_W), vary(rng, STEP_W), stretches, _held(levels_w, end_s), partial(shapley, factor))
    return shared_case(world, rng, end_s)


def shapley(factor: float, alone_w: Mapping[ProcessId, float]) -> Mapping[ProcessId, float]:
    """Each one's mean part over both orders of arrival, where two together draw `factor` of their sum."""
    if len(alone_w) != 2:
        return alone_w
    (one, one_w), (other, other_w) = alone_w.items()
    both_w = max(factor * (one_w + other_w), one_w, other_w)
    return {one: (one_w + both_w - other_w) / 2, other: (other_w + both_w - one_w) / 2}


def warming(rng: random.Random) -> Case:
    """A pair on a card that warms up: the leakage is nobody's work, and grows with time."""
    end_s = START_S + vary(rng, SECONDS)
    world = _pair(rng, end_s, lambda _: 1.0)
    case = shared_case(world, rng, end_s)
    leak = Warming(START_S, end_s, vary(rng, 25.0), vary(rng, 60.0))
    hot = shared_case(replace(world, power=Sum((world.power, leak))), rng, end_s)
    leaked_j, active_j = leak.between_j(START_S, end_s), sum(world.joules.values())
    grown = {who: joules * (1 + leaked_j / active_j) for who, joules in case.parts[0].joules.items()}
    return replace(hot, parts=[replace(hot.parts[0], joules=grown)])


def unlike_namesakes(rng: random.Random) -> Case:
    """Two processes of one executable that draw quite different powers."""
    end_s = START_S + vary(rng, SECONDS)
    case = shared_case(_pair(rng, end_s, lambda _: 1.0), rng, end_s)
    return replace(case, names=dict.fromkeys(case.names, "python"))


def changing(rng: random.Random) -> Case:
    """Processes whose power changes from phase to phase, by up to a half."""
    end_s = START_S + vary(rng, SECONDS)
    return shared_case(_pair(rng, end_s, lambda r: r.uniform(0.5, 1.5)), rng, end_s)


def _pair(rng: random.Random, end_s: float, change: Callable[[random.Random], float]) -> World:
    """A strong and a weak process, alone and together in turns."""
    levels_w = {process(711): vary(rng, 350.0), process(712): vary(rng, 150.0)}
    one, other = levels_w
    kinds: list[tuple[ProcessId, ...]] = [(one,), (other,), (one, other), (one, other)] * (PHASES // 4)
    rng.shuffle(kinds)
    stretches: list[Stretch] = []
    at_s = START_S
    for who, span_s in zip(kinds, cut(end_s - START_S, len(kinds), rng), strict=True):
        now_w = [(each, levels_w[each] * change(rng)) for each in who]
        stretches += turns(now_w, at_s, at_s + span_s, 0.005 if len(who) > 1 else span_s)
        at_s += span_s
    return compose(vary(rng, IDLE_W), vary(rng, STEP_W), stretches, _held(levels_w, end_s))


def _held(processes: Iterable[ProcessId], end_s: float) -> list[Holding]:
    return [Holding(who, START_S, end_s) for who in processes]


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    yield Scenario("broken/less-than-the-sum", less_than_the_sum)
    yield Scenario("broken/warming", warming)
    yield Scenario("broken/unlike-namesakes", unlike_namesakes)
    yield Scenario("broken/changing-intensity", changing)
