"""Runs many arms: a crowd is started once for all nodes of its size, and several programs watch at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.campaign.rapl import Tree
from benchmarks.suite.table import Options
from benchmarks.watching.arm import Cost, Timing, measure
from benchmarks.watching.compiled import preload, program
from benchmarks.watching.crowd import crowd, light_work
from benchmarks.watching.node import Point, Watched, watched
from benchmarks.watching.programs import Program

MOST_LANES = 4
TRIES = 2
"""zeus gives up where its helpers take more than 10 s to start."""
SLOW_CALL_US = 1000
"""Programs that spin so long in each call leave no time to others."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One program on one node."""

    program: Program
    point: Point
    scraped: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """Where arms are run."""

    folder: Path
    rivals: Path
    preload: Path
    crowd: Path
    powercap: Path

    def node(self, point: Point, pids: Sequence[int]) -> Watched:
        """`point` for one program."""
        return watched(Path(mkdtemp(dir=self.folder)) / "node", point, pids, self.preload, self.powercap)


@contextmanager
def field(options: Options) -> Iterator[Field]:
    """Compiles what is needed; counters of processors move as long as the block lasts."""
    folder = Path(mkdtemp(dir=options.scratch, prefix="watching-"))
    with Tree(folder / "powercap") as tree:
        programs = preload("proccalls", folder), program("crowd", folder)
        yield Field(folder, options.rivals or folder, *programs, tree.folder)


def lanes(*, heavy: bool = False) -> int:
    """How many programs are measured at a time: one for each CPU, and one more where all are nearly idle."""
    return min(MOST_LANES, (os.cpu_count() or 1) + (not heavy))


def _heavy(arm: Arm) -> bool:
    latency = arm.point.latency
    return arm.point.rate_hz > 1 or (latency.spin and latency.microseconds >= SLOW_CALL_US)


def _crowd_and_weight(arm: Arm) -> tuple[int, bool]:
    return arm.point.host_processes, _heavy(arm)


def run(place: Field, arms: Sequence[Arm], timing: Timing) -> Iterator[tuple[Arm, Cost | None]]:
    """Each arm and its cost, None where the program does not work there (standard error says why)."""
    ordered = sorted(arms, key=_crowd_and_weight)
    for (count, heavy), group in groupby(ordered, key=_crowd_and_weight):
        with crowd(place.crowd, count, light_work(count)) as pids, ThreadPoolExecutor(lanes(heavy=heavy)) as pool:
            batch = list(group)
            yield from zip(batch, pool.map(_one(place, pids, timing), batch), strict=True)


def _one(place: Field, pids: Sequence[int], timing: Timing) -> Callable[[Arm], Cost | None]:
    def cost(arm: Arm) -> Cost | None:
        for _ in range(TRIES):
            try:
                return measure(arm.program, place.node(arm.point, pids), place.rivals, timing, scraped=arm.scraped)
            except RuntimeError as error:
                print(f"{arm.program.name}: {error}", file=sys.stderr)
        return None

    return cost
