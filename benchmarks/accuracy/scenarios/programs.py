"""More programs than two, strangers among them, long runs and jobs that are over before anybody looks."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from aipower.model import ProcessId
from benchmarks.accuracy.case import START_S, Case, Scenario, vary, within
from benchmarks.accuracy.scenarios.parts import cut, shared_case
from benchmarks.accuracy.scenarios.processes import IDLE_W, LOADING_S, STEP_W, turns
from benchmarks.accuracy.world import Holding, Stretch, World, compose, process

PHASE_S = 10.0
TURN_S = 0.01
THREE_W = (350.0, 220.0, 120.0)
EIGHT_W = (400.0, 330.0, 280.0, 230.0, 190.0, 150.0, 120.0, 90.0)
WORKING = 0.5
"""Share of the phases in which a program works."""


def phased(rng: random.Random, levels_w: Sequence[float], end_s: float) -> World:
    """Programs of given watts that load first, and then work in phases of their own, interleaved where they meet."""
    programs = [(process(801 + number), vary(rng, watts)) for number, watts in enumerate(levels_w)]
    at_s = START_S + vary(rng, LOADING_S)
    stretches: list[Stretch] = []
    for span_s in cut(end_s - at_s, round((end_s - at_s) / PHASE_S), rng):
        working = [each for each in programs if rng.random() < WORKING]
        if working:
            stretches += turns(working, at_s, at_s + span_s, TURN_S if len(working) > 1 else span_s)
        at_s += span_s
    holdings = [Holding(who, START_S, end_s) for who, _ in programs]
    return compose(vary(rng, IDLE_W), vary(rng, STEP_W), stretches, holdings)


def several(rng: random.Random, levels_w: Sequence[float], usual_s: float) -> Case:
    """A run of several programs."""
    end_s = START_S + vary(rng, usual_s)
    return shared_case(phased(rng, levels_w, end_s), rng, end_s)


def with_a_stranger(rng: random.Random) -> Case:
    """A run of one program beside somebody else's, which is not of the run."""
    end_s = START_S + vary(rng, 120.0)
    case = shared_case(phased(rng, THREE_W[:2], end_s), rng, end_s)
    strangers = frozenset(rng.sample(sorted(case.names, key=lambda who: who.pid), 1))
    return replace(case, strangers=strangers)


def unseen(rng: random.Random) -> Case:
    """A job of 20 to 80 ms on a GPU that idles else: the driver's sampler sees it or does not."""
    seconds = rng.uniform(0.15, 0.45)
    end_s, work_s = START_S + seconds, rng.uniform(0.02, 0.08)
    begin_s = rng.uniform(START_S + 0.03, end_s - work_s - 0.03)
    who: ProcessId = process(901)
    holdings = [Holding(who, START_S + 0.02, end_s - 0.01)]
    stretches = [Stretch(who, begin_s, begin_s + work_s, vary(rng, 300.0))]
    return shared_case(compose(vary(rng, IDLE_W), vary(rng, STEP_W), stretches, holdings), rng, end_s)


def scenarios() -> Iterable[Scenario]:
    """All of the family."""
    yield Scenario("program/three-phased", partial(several, levels_w=THREE_W, usual_s=180.0))
    yield Scenario("program/eight-phased", partial(several, levels_w=EIGHT_W, usual_s=300.0))
    yield Scenario(
        "program/two-10min", partial(several, levels_w=(350.0, 150.0), usual_s=600.0), within(2.0, "process")
    )
    yield Scenario("program/with-a-stranger", with_a_stranger, within(2.0, "run"))
    yield Scenario("program/unseen", unseen)
