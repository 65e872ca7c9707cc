"""The agent's own pipeline on simulated hardware, as fast as it goes, with restarts through the journal."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aipower.books.ledger import Ledger
from aipower.books.resume import idle_levels_w, positions, revived
from aipower.daemon.sampling.pace import JITTER
from aipower.journal.decode import decode
from aipower.journal.encode import encode
from aipower.meter import Meter
from aipower.model import Device, Kind, Snapshot
from aipower.seams import SensorSet
from benchmarks.accuracy.machine import SimulatedClock
from benchmarks.month.course import Course
from benchmarks.month.hardware import Counter, GpuCounter, RaplCounter
from benchmarks.month.people import BOOT, People, Use

DOWN_S = 30.0
"""Without an agent, at each restart."""
MAX_GAP_S = 5.0
START_S = 1000.0
GPU_IDLE_MW, GPU_MOST_MW = 70_000, 700_000
CPU_IDLE_MW, CPU_MOST_MW = 60_000, 350_000
DRAM_IDLE_MW, DRAM_MOST_MW = 8_000, 40_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a life is, and how eventful."""

    days: float = 30.0
    interval_s: float = 1.0
    """Between two readings of a sensor."""
    window_s: float = 60.0
    """Between two attributions, each with a snapshot. The agent makes one a second, which nobody can wait for."""
    gpus: int = 2
    sockets: int = 1
    processes: int = 6
    checkpoints: int = 240
    restart_each: int = 20
    """Checkpoints between two restarts of the agent."""
    reset_each_s: float = 86_400.0
    """Mean time between two resets of a GPU's counter."""
    seed: int = 1

    @property
    def devices(self) -> int:
        """With the memories."""
        return self.gpus + 2 * self.sockets

    @property
    def samples(self) -> int:
        """Readings of sensors in the whole life, about."""
        return round(self.days * 86_400 / self.interval_s) * self.devices


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The books at one moment, beside the hardware."""

    at_s: float
    snapshot: Snapshot
    counted_uj: dict[str, int]
    """By device: what the hardware's counter had come to where the account stands, over wraps and resets."""
    true_uj: dict[str, int]
    """By device: what it had used there."""
    wraps: int
    resets: dict[str, int]
    reads: int
    restarts: int


@dataclass
class Life:
    """One machine and its agents."""

    plan: Plan
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(START_S))
    restarts: int = 0

    def __post_init__(self) -> None:
        """Build the machine and start the first agent."""
        dice = self._dice = random.Random(self.plan.seed)
        self.people = People(self.clock, dice, self.plan.processes)
        self.people.live()
        self.counters: list[Counter] = list(_counters(self.plan, self.clock, dice))
        self._start(None)

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Live, and stop at each; the agent is restarted after some of them."""
        step_s = self.plan.days * 86_400 / self.plan.checkpoints
        for number in range(1, self.plan.checkpoints + 1):
            self._live_until(1000.0 + number * step_s)
            checkpoint = self._look()
            yield checkpoint
            if number % self.plan.restart_each == 0 and number < self.plan.checkpoints:
                self._restart(checkpoint.snapshot)

    def _start(self, state: Snapshot | None) -> None:
        plan, clock = self.plan, self.clock
        self.ledger = Ledger(self.people, boot=BOOT, since_unix_s=clock.unix_s())
        if state is not None:
            self.ledger.restore(revived(state, clock.now_s, BOOT, "", self.people))
        self.meter = Meter(
            SensorSet(self.counters, _usage(plan, self.counters, self.people, clock)),
            self.ledger,
            clock,
            MAX_GAP_S,
            positions=positions(state, BOOT, 0.0),
            jobs=True,
            idle_levels_w=idle_levels_w(state),
        )

    def _live_until(self, until_s: float) -> None:
        clock, meter, interval_s, jitter = self.clock, self.meter, self.plan.interval_s, self._dice.random
        grid_s = window_s = clock.now_s
        while grid_s < until_s:
            meter.sample()
            if clock.now_s >= window_s:
                self._close_window()
                window_s += self.plan.window_s
            grid_s += interval_s
            clock.now_s = grid_s + JITTER * interval_s * jitter()

    def _close_window(self) -> None:
        self.people.live()
        self.meter.attribute()
        self.ledger.retire(self.clock.now_s)
        self.meter.refresh_methods()
        self._snapshot()

    def _snapshot(self) -> Snapshot:
        return self.ledger.draft(
            self.clock.unix_s(), "0", self.meter.powers_w(), positions=self.meter.positions()
        ).snapshot()

    def _look(self) -> Checkpoint:
        """All windows are closed for it, as an agent does that ends."""
        self.meter.attribute()
        snapshot, places = self._snapshot(), self.meter.positions()
        counted_uj = {}
        for counter in self.counters:
            shown_uj = places[counter.device.id].counter_uj
            counted_uj[counter.device.id] = counter.meter.total_at(-1 if shown_uj is None else shown_uj)
        true_uj = {one.device.id: one.course.energy_uj(int(1000 * self.clock.now_s)) for one in self.counters}
        resets = {counter.device.id: counter.meter.resets for counter in self.counters}
        meters = [counter.meter for counter in self.counters]
        wraps, reads = sum(meter.wraps for meter in meters), sum(meter.reads for meter in meters)
        return Checkpoint(self.clock.now_s, snapshot, counted_uj, true_uj, wraps, resets, reads, self.restarts)

    def _restart(self, snapshot: Snapshot) -> None:
        self.clock.now_s += DOWN_S
        self.people.live()
        self._start(decode(encode(snapshot)))
        self.restarts += 1


def _counters(plan: Plan, clock: SimulatedClock, dice: random.Random) -> Iterator[Counter]:
    def course(idle_mw: int, most_mw: int) -> Course:
        return Course(idle_mw, most_mw, random.Random(dice.random()))

    for index in range(plan.gpus):
        device = _device("gpu", f"GPU-{index:04d}", index)
        yield GpuCounter(device, course(GPU_IDLE_MW, GPU_MOST_MW), clock, plan.reset_each_s, dice)
    for index in range(plan.sockets):
        package, memory = _device("cpu", f"package-{index}", index), _device("dram", f"package-{index}/dram", index)
        yield RaplCounter(package, course(CPU_IDLE_MW, CPU_MOST_MW), clock)
        yield RaplCounter(memory, course(DRAM_IDLE_MW, DRAM_MOST_MW), clock)


def _device(kind: Kind, name: str, index: int) -> Device:
    return Device(name, kind, "simulated", str(index))


def _usage(plan: Plan, counters: Sequence[Counter], people: People, clock: SimulatedClock) -> dict[str, Use]:
    uses = {}
    for counter in counters:
        gpu = counter.device.kind == "gpu"
        every = range(plan.processes)
        places = every[int(counter.device.index) :: max(1, plan.gpus)] if gpu else every
        uses[counter.device.id] = Use(people, counter.course, clock, list(places), gpu=gpu)
    return uses
