"""One simulated pair judged by the product, and the sums over many."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass

from aipower.compare.build import judge
from aipower.compare.model import Difference, Verdict
from benchmarks.comparison.pipeline import measured_world
from benchmarks.comparison.scenario import Scenario
from benchmarks.comparison.world import World, world_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of one world."""

    less: bool
    """Of any of the others."""
    more: bool
    verdicts: tuple[str, ...]
    held: bool
    """All intervals of the percentage hold the truth."""
    held_j: bool
    """And those in joules."""
    half_percent: float


def trial(scenario: Scenario, seed: str) -> Outcome:
    """The world of `seed`, judged."""
    build = measured_world if scenario.pipeline else world_of
    world = build(scenario, random.Random(seed))
    return _outcome(judge([world.base, *world.others]), world)


def _outcome(judged: Iterable[tuple[Verdict, Difference | None]], world: World) -> Outcome:
    known = [(verdict, found) for verdict, found in judged if found is not None]
    truth = 100 * math.expm1(world.true_log)
    ranges = [found.interval_percent or (math.nan, math.nan) for _, found in known]
    ranges_j = [found.interval or (math.nan, math.nan) for _, found in known]
    verdicts = tuple(verdict for verdict, _ in known)
    return Outcome(
        less="less" in verdicts,
        more="more" in verdicts,
        verdicts=verdicts,
        held=all(low <= truth <= high for low, high in ranges),
        held_j=all(low <= world.true_j <= high for low, high in ranges_j),
        half_percent=max((high - low) / 2 for low, high in ranges),
    )


@dataclass(frozen=True, slots=True)
class Score:
    """The outcomes of one scenario; all in percent of the worlds."""

    scenario: Scenario
    worlds: int
    less: float
    more: float
    held: float
    held_j: float
    half_percent: float
    """The median half-width of the interval, in percent of the baseline."""

    @property
    def wrong(self) -> float:
        """False alarms: any difference where there is none, one of the wrong sign where there is."""
        return self.more if self.scenario.saving_percent else self.less + self.more


def score(scenario: Scenario, worlds: int, seed: int) -> Score:
    """Many worlds of one scenario; each has a seed of its own, so any can be had again."""
    found = [trial(scenario, f"{seed}/{scenario.name}/{number}") for number in range(worlds)]
    halves = sorted(outcome.half_percent for outcome in found)
    return Score(
        scenario=scenario,
        worlds=worlds,
        less=_share([outcome.less for outcome in found]),
        more=_share([outcome.more for outcome in found]),
        held=_share([outcome.held for outcome in found]),
        held_j=_share([outcome.held_j for outcome in found]),
        half_percent=halves[len(halves) // 2],
    )


def _share(found: list[bool]) -> float:
    return 100 * sum(found) / len(found)
