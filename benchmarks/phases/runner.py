"""One run of one scenario from its seed, and many of them over several processes."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator, Sequence

from benchmarks.accuracy.estimates import Outcome
from benchmarks.phases.scenarios import catalogue
from benchmarks.phases.watch import watch

Task = tuple[str, int, int]
"""Scenario, number and seed."""


def simulate(task: Task) -> Outcome:
    """One run; all of it follows from the task."""
    name, number, seed = task
    rng = random.Random(f"{seed} {name} {number}")
    return watch(name, number, catalogue()[name].build(rng), rng)


def simulate_all(todo: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """The outcomes as they come, in this process or in `jobs` others."""
    if jobs <= 1:
        yield from map(simulate, todo)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(simulate, todo, chunksize=2)
