"""One run of one scenario from its seed, and many of them over several processes."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.accuracy import baselines
from benchmarks.accuracy.estimates import Outcome
from benchmarks.accuracy.pipeline import watch
from benchmarks.accuracy.scenarios.catalogue import catalogue


@dataclass(frozen=True, slots=True)
class Task:
    """One run: all of it follows from these three."""

    scenario: str
    number: int
    seed: int


def tasks(scenarios: Sequence[str], runs: int, seed: int) -> list[Task]:
    """`runs` of each scenario."""
    return [Task(name, number, seed) for name in scenarios for number in range(runs)]


def simulate(task: Task) -> Outcome:
    """The outcome of `task`, always the same."""
    began_s = time.perf_counter()
    rng = random.Random(f"{task.seed} {task.scenario} {task.number}")
    case = catalogue()[task.scenario].build(rng)
    watched = watch(case, rng)
    naive = () if case.again else tuple(baselines.estimates(case, rng))
    took_s = time.perf_counter() - began_s
    return Outcome(task.scenario, task.number, (*watched.estimates, *naive), watched.broken, watched.faults, took_s)


def simulate_all(todo: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """The outcomes as they come, in this process or in `jobs` others."""
    if jobs <= 1:
        yield from map(simulate, todo)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(simulate, todo, chunksize=4)


def in_order(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Sorted by scenario and number, so that results do not depend on who was first."""
    return sorted(outcomes, key=lambda outcome: (outcome.scenario, outcome.number))
