"""Processes that share a GPU (R7, R8, A4 and A5 of science F)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from functools import partial

from aipower.model import ProcessId
from benchmarks.accuracy.case import FLAGGED, START_S, Case, Scenario, Target, Watcher, vary, within
from benchmarks.accuracy.scenarios.parts import cut, shared_case
from benchmarks.accuracy.world import Holding, Stretch, compose, process

IDLE_W, STEP_W = 60.0, 40.0
LOADING_S = 6.0
"""How long a pair holds its contexts before it works."""
TURN_S = 0.002
"""Turns of processes that interleave (science of F3)."""


def turns(
    who: Sequence[tuple[ProcessId, float]], start_s: float, end_s: float, turn_s: float = TURN_S
) -> list[Stretch]:
    """Processes of given watts that take turns on the engine."""
    stretches: list[Stretch] = []
    at_s, number = start_s, 0
    while at_s < end_s:
        one, watts = who[number % len(who)]
        stretches.append(Stretch(one, at_s, min(at_s + turn_s, end_s), watts))
        at_s, number = at_s + turn_s, number + 1
    return stretches


def pair(rng: random.Random, *, solo: bool, watcher: Watcher = "run") -> Case:
    """350 W beside 150 W, all the time at once or with phases in which each is alone."""
    seconds = vary(rng, 120.0 if solo else 60.0)
    end_s = START_S + seconds
    one, other = (process(101), vary(rng, 350.0)), (process(102), vary(rng, 150.0))
    stretches: list[Stretch] = []
    # Jobs load their data first: their contexts are open and nothing works, which is when the step shows itself.
    at_s = START_S + (vary(rng, LOADING_S) if solo else 0.0)
    kinds = [[one], [other], [one, other], [one, other]] * 2 if solo else [[one, other]]
    rng.shuffle(kinds)
    for who, span_s in zip(kinds, cut(end_s - at_s, len(kinds), rng), strict=True):
        until_s = min(at_s + span_s, end_s)
        stretches += turns(who, at_s, until_s) if len(who) > 1 else [Stretch(who[0][0], at_s, until_s, who[0][1])]
        at_s = until_s
    holdings = [Holding(one[0], START_S, end_s, 30.0), Holding(other[0], START_S, end_s, 10.0)]
    world = compose(vary(rng, IDLE_W), vary(rng, STEP_W), stretches, holdings)
    return shared_case(world, rng, end_s, watcher=watcher)


def churn(rng: random.Random, watcher: Watcher = "run") -> Case:
    """A long process of 250 W and one short one of 400 W, 50 to 400 ms long, each second."""
    seconds = vary(rng, 60.0)
    end_s = START_S + seconds
    long, short_w = (process(100), vary(rng, 250.0)), vary(rng, 400.0)
    stretches, holdings = [], [Holding(long[0], START_S, end_s, 30.0)]
    at_s, pid = START_S + vary(rng, LOADING_S), 1000
    while at_s < end_s - 2:
        begin_s, span_s = at_s + rng.uniform(0.2, 1.0), rng.uniform(0.05, 0.4)
        short = process(pid)
        stretches.append(Stretch(long[0], at_s, begin_s, long[1]))
        stretches += turns([(short, short_w), long], begin_s, begin_s + span_s, 0.005)
        holdings.append(Holding(short, begin_s, begin_s + span_s, 2.0))
        at_s, pid = begin_s + span_s, pid + 1
    stretches.append(Stretch(long[0], at_s, end_s, long[1]))
    world = compose(vary(rng, IDLE_W), vary(rng, STEP_W), stretches, holdings)
    shorts = frozenset(who for who in world.joules if who != long[0])
    names = {who: "short" if who in shorts else "long" for who in world.joules}
    groups = {"long": frozenset({long[0]}), "all short": shorts}
    return shared_case(world, rng, end_s, groups=groups, names=names, watcher=watcher)


def duty(rng: random.Random) -> Case:
    """Three equal processes with 20, 30 and 50 % of the engine."""
    seconds, watts = vary(rng, 60.0), vary(rng, 300.0)
    end_s = START_S + seconds
    shares = {process(201): vary(rng, 0.2), process(202): vary(rng, 0.3), process(203): vary(rng, 0.5)}
    stretches, at_s = [], START_S
    while at_s < end_s:
        who = rng.choices(list(shares), list(shares.values()))[0]
        until_s = min(end_s, at_s + rng.uniform(0.002, 0.02))
        stretches.append(Stretch(who, at_s, until_s, watts))
        at_s = until_s
    holdings = [Holding(who, START_S, end_s) for who in shares]
    return shared_case(compose(vary(rng, IDLE_W), vary(rng, STEP_W), stretches, holdings), rng, end_s)


def sparse(rng: random.Random) -> Case:
    """Kernels of 40 ms: one process twice a second, the other every two seconds."""
    seconds, watts = vary(rng, 60.0), vary(rng, 300.0)
    end_s = START_S + seconds
    rates = {process(301): vary(rng, 2.0), process(302): vary(rng, 0.5)}
    stretches, at_s = [], START_S
    while True:
        at_s += rng.expovariate(sum(rates.values()))
        who = rng.choices(list(rates), list(rates.values()))[0]
        if at_s + 0.06 > end_s:
            break
        until_s = at_s + vary(rng, 0.04)
        stretches.append(Stretch(who, at_s, until_s, watts))
        at_s = until_s
    holdings = [Holding(who, START_S, end_s) for who in rates]
    return shared_case(compose(vary(rng, IDLE_W), vary(rng, STEP_W), stretches, holdings), rng, end_s)


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    alike = {"process": Target(flagged=FLAGGED), "run": Target(0.1)}
    churned = {"long": Target(2.0), "all short": Target(16.0)}
    yield Scenario("process/pair-solo-phases", partial(pair, solo=True), within(2.0, "process"))
    yield Scenario("process/pair-solo-phases-agent", partial(pair, solo=True, watcher="agent"), within(2.0, "process"))
    yield Scenario("process/pair-always-together", partial(pair, solo=False), alike)
    yield Scenario("process/churn", churn, churned)
    yield Scenario("process/churn-agent", partial(churn, watcher="agent"), churned)
    yield Scenario("process/three-equal", duty, within(10.0, "process"))
    yield Scenario("process/sparse", sparse, within(18.0, "process"))
