"""The hardware of a scenario behind the seams of real hardware: sensors, usage, processes and time."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aipower.errors import SensorError
from aipower.model import Conditions, Device, DeviceFacts, Kind, ProcessId, ProcessInfo, Reading, Usage
from aipower.seams import SensorSet, SensorTraits, UsageSource
from aipower.sensors.fake import Wave
from live.plan import Plan, Worker

BOOT = "live"
FIRST_PID = 2000
BOOTED_S = 1_000_000.0
PUBLISH_S = 0.1
CORES = 64
GPU_LIMIT_W, TURN_S = 700.0, 47.0
TRAITS = SensorTraits(PUBLISH_S, power_period_s=PUBLISH_S, power_window_s=PUBLISH_S)


class WorldClock:
    """Moves when told to; `begin_unix_s` is what the wall shows when it begins."""

    def __init__(self, begin_unix_s: float) -> None:
        self.now_s = BOOTED_S
        self._unix_at_zero_s = begin_unix_s - BOOTED_S

    def monotonic_s(self) -> float:
        return self.now_s

    def unix_s(self) -> float:
        return self._unix_at_zero_s + self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += max(0.0, seconds)

    def behind_s(self) -> float:
        """By how much the real wall clock is ahead."""
        return time.time() - self.unix_s()


@dataclass(slots=True)
class Sensor:
    """One device: its power is a wave of the time; while `broken` says so it cannot be read."""

    device: Device
    wave: Wave
    clock: WorldClock
    facts: DeviceFacts
    limit_w: float | None = None
    traits: SensorTraits = TRAITS
    broken: SensorError | None = None

    def read(self) -> Reading:
        if self.broken is not None:
            raise self.broken
        at_s = self.clock.monotonic_s()
        published_s = math.floor(at_s / PUBLISH_S) * PUBLISH_S
        return Reading(at_s, round(self.wave.energy_j(published_s) * 1e6), self.wave.power_w(at_s))

    def conditions(self) -> Conditions:
        return Conditions(self.limit_w)

    def close(self) -> None:
        """Nothing to free."""


class SharedUsage:
    """Those who work on a device share what it is used, each by its weight."""

    def __init__(self, kind: Kind, weights: Mapping[ProcessId, float], wave: Wave, clock: WorldClock) -> None:
        self.weights = dict(weights)
        self._kind = kind
        self._wave = wave
        self._clock = clock
        self._since_s = clock.monotonic_s()

    def collect(self) -> Usage:
        since_s, self._since_s = self._since_s, self._clock.monotonic_s()
        now_s = max(self._since_s, since_s + 1e-6)
        span_s, whole = now_s - since_s, sum(self.weights.values())
        if self._kind == "cpu":
            busy_s = {process: cores * span_s for process, cores in self.weights.items()}
            return Usage(since_s, now_s, busy_s, capacity_s=CORES * span_s)
        load = self._wave.load((since_s + now_s) / 2) if whole else 0.0
        busy_s = {process: load * span_s * weight / whole for process, weight in self.weights.items() if load > 0}
        return Usage(since_s, now_s, busy_s, holders=frozenset(busy_s), samples=6 * span_s)


@dataclass(slots=True)
class Directory:
    """The processes of the scenario."""

    infos: dict[ProcessId, ProcessInfo] = field(default_factory=dict)
    ended: set[ProcessId] = field(default_factory=set)

    def resolve(self, pid: int) -> ProcessId | None:
        return next((process for process in self.infos if process.pid == pid), None)

    def describe(self, process: ProcessId) -> ProcessInfo:
        return self.infos[process]

    def alive(self, process: ProcessId) -> bool:
        return process not in self.ended


@dataclass(slots=True)
class Machine:
    """What an agent finds; it outlives the agent."""

    clock: WorldClock
    directory: Directory
    sensors: Sequence[Sensor]
    usage: Mapping[str, SharedUsage]
    runs: Mapping[ProcessId, Worker]

    def found(self) -> SensorSet:
        sources: dict[str, UsageSource] = {**self.usage}
        return SensorSet(tuple(self.sensors), sources)

    def run_of(self, process: ProcessId) -> str:
        worker = self.runs.get(process)
        return worker.run if worker else ""

    def sensor(self, device: str) -> Sensor:
        return next(sensor for sensor in self.sensors if sensor.device.id == device)

    def end(self, process: ProcessId) -> None:
        """It exits."""
        self.directory.ended.add(process)
        for usage in self.usage.values():
            usage.weights.pop(process, None)


def build(plan: Plan, begin_unix_s: float) -> Machine:
    """The machine of `plan`."""
    clock = WorldClock(begin_unix_s)
    workers = {ProcessId(BOOT, FIRST_PID + number, 100 + number): one for number, one in enumerate(plan.workers)}
    infos = {process: ProcessInfo(process, one.comm, one.user, one.place) for process, one in workers.items()}
    sensors: list[Sensor] = []
    usage: dict[str, SharedUsage] = {}
    for index in range(plan.gpus):
        on_it = {process: one.weight for process, one in workers.items() if index in one.gpus}
        sensors.append(_gpu(plan, index, clock, busy=bool(on_it)))
        usage[sensors[-1].device.id] = SharedUsage("gpu", on_it, sensors[-1].wave, clock)
    cores = {process: one.cores for process, one in workers.items() if one.cores > 0}
    for socket in range(plan.sockets):
        package, memory = _package(socket, clock), _memory(socket, clock)
        sensors += [package, memory]
        usage[package.device.id] = SharedUsage("cpu", cores, package.wave, clock)
        usage[memory.device.id] = SharedUsage("cpu", cores, memory.wave, clock)
    return Machine(clock, Directory(infos), sensors, usage, workers)


def _gpu(plan: Plan, index: int, clock: WorldClock, *, busy: bool) -> Sensor:
    device = Device(f"GPU-{index:08d}", "gpu", plan.gpu_name, str(index))
    # Differently high and early, so that charts can be told apart; a GPU on which nobody works rests.
    wave = Wave(62 + index, 40, 280 + 37 * (index % 8), TURN_S, 0.9 * index) if busy else Wave(60, 0, 0, TURN_S, 0)
    return Sensor(device, wave, clock, DeviceFacts(device.id, "simulated"), GPU_LIMIT_W)


def _package(socket: int, clock: WorldClock) -> Sensor:
    device = Device(f"package-{socket}", "cpu", "Simulated processor", str(socket))
    return Sensor(device, Wave(55, 0, 110, 31.0, float(socket)), clock, DeviceFacts())


def _memory(socket: int, clock: WorldClock) -> Sensor:
    device = Device(f"package-{socket}/dram", "dram", "Simulated memory", str(socket), f"package-{socket}")
    return Sensor(device, Wave(8, 0, 12, 43.0, 2.0 + socket), clock, DeviceFacts())
