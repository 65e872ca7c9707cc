"""A simulated node on which short processes come and go: clock, sensors, usage and table of processes."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aipower.model import (
    Device,
    DeviceFacts,
    JobFacts,
    Owner,
    Place,
    ProcessId,
    ProcessInfo,
    Reading,
    Usage,
)
from aipower.seams import SensorSet, SensorTraits, UsageSource

HOUR_S = 3600.0
PUBLISH_S = 0.1
TRAITS = SensorTraits(PUBLISH_S, power_period_s=PUBLISH_S, power_window_s=PUBLISH_S)
CORES = 32
PIDS = 997
"""So few that each is had by many processes in an hour; a prime, so that not always on the same device."""
FORGOTTEN_S = 60.0
"""A table of processes describes those that have ended for a while only."""


@dataclass(frozen=True, slots=True)
class Churn:
    """What happens on the node."""

    per_hour: int = 5000
    lasts_s: tuple[float, float] = (0.3, 12.0)
    gpus: int = 2
    sockets: int = 1
    jobs: bool = False
    """Each process is a job of its own; else it is in none."""
    users: int = 4
    residents: int = 6
    """Processes that last for ever, each in a job of its own."""
    seed: int = 7


class Clock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def unix_s(self) -> float:
        return 1_790_000_000.0 + self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass(frozen=True, slots=True)
class Life:
    """One process."""

    info: ProcessInfo
    begin_s: float
    end_s: float
    gpu: int
    busy: float
    """Share of the GPU's time, and of one core."""

    def within(self, since_s: float, now_s: float) -> float:
        """Seconds of its life in a window."""
        return max(0.0, min(now_s, self.end_s) - max(since_s, self.begin_s))


class Population:
    """Who lives when; it forgets the dead as a real table of processes does."""

    def __init__(self, churn: Churn, clock: Clock) -> None:
        self._clock = clock
        self._dice = random.Random(churn.seed)
        self._coming = self._births(churn)
        self._next = next(self._coming)
        self._known: dict[ProcessId, Life] = {}
        self.born = 0
        for number in range(churn.residents):
            self._enter(_life(churn, self._dice, number, clock.now_s, math.inf, resident=True))

    def lives(self, since_s: float) -> list[Life]:
        """Those who lived at some time after `since_s`, which is not long ago."""
        while self._next.begin_s < self._clock.now_s:
            self._enter(self._next)
            self._next = next(self._coming)
        old_s = self._clock.now_s - FORGOTTEN_S
        for process in [process for process, life in self._known.items() if life.end_s < old_s]:
            del self._known[process]
        return [life for life in self._known.values() if life.end_s > since_s]

    def resolve(self, pid: int) -> ProcessId | None:
        return next((process for process in self._known if process.pid == pid and self.alive(process)), None)

    def describe(self, process: ProcessId) -> ProcessInfo:
        life = self._known.get(process)
        return life.info if life else ProcessInfo(process, "")

    def alive(self, process: ProcessId) -> bool:
        life = self._known.get(process)
        return life is not None and life.end_s > self._clock.now_s

    def _enter(self, life: Life) -> None:
        self._known[life.info.id] = life
        self.born += 1

    def _births(self, churn: Churn) -> Iterator[Life]:
        number, at_s = churn.residents, self._clock.now_s
        while True:
            at_s += self._dice.expovariate(churn.per_hour / HOUR_S)
            lasts_s = self._dice.uniform(*churn.lasts_s)
            yield _life(churn, self._dice, number, at_s, at_s + lasts_s, resident=False)
            number += 1


def _life(churn: Churn, dice: random.Random, number: int, begin_s: float, end_s: float, *, resident: bool) -> Life:
    pid = number + 1 if resident else 10_000 + number % PIDS
    process = ProcessId("boot", pid, round(begin_s * 100))
    job = Owner("slurm", str(100_000 + number), "0") if resident or churn.jobs else Owner()
    facts = JobFacts(f"job-{number % 50}", f"team-{number % 5}") if job.job else JobFacts()
    info = ProcessInfo(process, f"work-{number % 7}", f"user-{number % churn.users}", Place(job, facts=facts))
    return Life(info, begin_s, end_s, number % churn.gpus, dice.uniform(0.05, 0.5) if not resident else 0.2)


@dataclass(frozen=True, slots=True)
class Sensor:
    """A counter that is a function of time: a level, and a swing of a minute."""

    device: Device
    level_w: float
    swing_w: float
    clock: Clock
    facts: DeviceFacts = field(default_factory=DeviceFacts)
    traits: SensorTraits = TRAITS

    def read(self) -> Reading:
        at_s = self.clock.now_s
        return Reading(at_s, self.counter_uj(at_s), self.level_w + self.swing_w * math.sin(at_s / 10))

    def counter_uj(self, at_s: float) -> int:
        """What the hardware has counted until then, as last published."""
        published_s = math.floor(at_s / PUBLISH_S) * PUBLISH_S
        return round(1e6 * (self.level_w * published_s + 10 * self.swing_w * (1 - math.cos(published_s / 10))))

    def close(self) -> None:
        """Nothing to free."""


class DeviceUsage:
    """Who worked on a device, as the population has it."""

    def __init__(self, population: Population, clock: Clock, gpu: int | None) -> None:
        self._population = population
        self._clock = clock
        self._gpu = gpu
        self._since_s = clock.now_s

    def collect(self) -> Usage:
        since_s, now_s = self._since_s, self._clock.now_s
        self._since_s = now_s
        here = [life for life in self._population.lives(since_s) if self._gpu in {None, life.gpu}]
        busy_s = {life.info.id: life.busy * spent_s for life in here if (spent_s := life.within(since_s, now_s)) > 0}
        span_s = now_s - since_s
        if self._gpu is None:
            return Usage(since_s, now_s, busy_s, capacity_s=CORES * span_s)
        holders = frozenset(life.info.id for life in here if life.begin_s <= now_s < life.end_s)
        return Usage(since_s, now_s, busy_s, holders=holders, samples=6 * span_s)


def sensors(churn: Churn, clock: Clock) -> tuple[Sensor, ...]:
    """GPUs, processors and memories."""
    gpus = [
        Sensor(Device(f"GPU-{number:04d}", "gpu", "GPU", str(number)), 300.0 + number, 80.0, clock)
        for number in range(churn.gpus)
    ]
    packages = [
        Sensor(Device(f"package-{number}", "cpu", "Processor", str(number)), 180.0, 40.0, clock)
        for number in range(churn.sockets)
    ]
    memories = [
        Sensor(Device(f"dram-{number}", "dram", "Memory", str(number), f"package-{number}"), 30.0, 9.0, clock)
        for number in range(churn.sockets)
    ]
    return (*gpus, *packages, *memories)


def sensor_set(found: Sequence[Sensor], population: Population, clock: Clock) -> SensorSet:
    """What discovery would give: processors and memories share a source, as on a real machine."""
    processors = DeviceUsage(population, clock, None)
    usage: Mapping[str, UsageSource] = {
        sensor.device.id: DeviceUsage(population, clock, int(sensor.device.index))
        if sensor.device.kind == "gpu"
        else processors
        for sensor in found
    }
    return SensorSet(found, usage)
