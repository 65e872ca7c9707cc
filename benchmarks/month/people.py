"""Processes that come and go, and what each device is used by them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from aipower.model import JobFacts, Owner, Place, ProcessId, ProcessInfo, Usage
from aipower.seams import Clock
from benchmarks.month.course import Course

BOOT = "month"
PIDS = 32_000
"""Then they begin again from `FIRST_PID`: each is had by several processes in a month."""
FIRST_PID = 300
SHORTEST_S, MEAN_S = 5.0, 900.0
USERS = 12
CORES = 16
BURIED_S = 900.0
"""The directory knows the dead for so long, as that of the product forgets them too."""


@dataclass(slots=True)
class People:
    """A directory of `count` living processes, each of which is followed by another."""

    clock: Clock
    dice: random.Random
    count: int
    started: int = 0
    living: list[ProcessId] = field(default_factory=list)
    _infos: dict[ProcessId, ProcessInfo] = field(default_factory=dict)
    _ends_s: list[float] = field(default_factory=list)
    _alive: set[ProcessId] = field(default_factory=set)
    _graves: dict[ProcessId, float] = field(default_factory=dict)

    def live(self) -> None:
        """Those whose time has come end, and others begin."""
        now_s = self.clock.monotonic_s()
        if not self.living:
            self.living = [self._born(now_s) for _ in range(self.count)]
            self._ends_s = [self._end_s(now_s) for _ in range(self.count)]
        for place, end_s in enumerate(self._ends_s):
            if end_s <= now_s:
                self._alive.discard(self.living[place])
                self._graves[self.living[place]] = now_s
                self.living[place] = self._born(now_s)
                self._ends_s[place] = self._end_s(now_s)
        while self._graves and now_s - next(iter(self._graves.values())) > BURIED_S:
            dead = next(iter(self._graves))
            del self._graves[dead], self._infos[dead]

    def resolve(self, pid: int) -> ProcessId | None:
        """Who has `pid` now."""
        return next((process for process in self.living if process.pid == pid), None)

    def describe(self, process: ProcessId) -> ProcessInfo:
        """Its names; none of one that is forgotten."""
        return self._infos.get(process) or ProcessInfo(process, "")

    def alive(self, process: ProcessId) -> bool:
        """Whether it lives."""
        return process in self._alive

    def _born(self, now_s: float) -> ProcessId:
        number, self.started = self.started, self.started + 1
        process = ProcessId(BOOT, FIRST_PID + number % PIDS, int(100 * now_s) + 1)
        owner = Owner("slurm", str(number // 4), "0") if number % 3 else Owner()
        place = Place(owner, facts=JobFacts(f"job-{number // 4}") if number % 3 else JobFacts())
        self._infos[process] = ProcessInfo(process, f"work-{number % 40}", f"user{number % USERS}", place)
        self._alive.add(process)
        return process

    def _end_s(self, now_s: float) -> float:
        return now_s + SHORTEST_S + self.dice.expovariate(1 / MEAN_S)


class Use:
    """Who of `people` used one device: a GPU is shared by a part of them, processors by all."""

    def __init__(self, people: People, course: Course, clock: Clock, places: Sequence[int], *, gpu: bool) -> None:
        self._people = people
        self._course = course
        self._clock = clock
        self._places = places
        self._gpu = gpu
        self._since_s = clock.monotonic_s()

    def collect(self) -> Usage:
        """Since the last call."""
        since_s, self._since_s = self._since_s, self._clock.monotonic_s()
        now_s = max(self._since_s, since_s + 1e-6)
        whole_s = max(0.0, self._course.load) * (now_s - since_s)
        working = [self._people.living[place] for place in self._places]
        weight = sum(range(1, 1 + len(working)))
        busy_s = {who: whole_s * (1 + n) / weight for n, who in enumerate(working) if whole_s > 0}
        if self._gpu:
            return Usage(since_s, now_s, busy_s, holders=frozenset(working), samples=6 * (now_s - since_s))
        return Usage(since_s, now_s, busy_s, capacity_s=CORES * (now_s - since_s))
