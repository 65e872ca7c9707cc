"""The machines of the benchmark: simulated devices and processes behind the seams of real ones."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aipower.model import Device, DeviceFacts, JobFacts, Owner, Place, ProcessId, ProcessInfo, Usage
from aipower.seams import SensorSet, UsageSource
from aipower.sensors.fake import DRIVER, FakeGpu, FakeSensor, Wave

BOOT = "benchmark"
CORES = 64
TURNS = 4
FIRST_PID = 2000


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a machine is, and how often it is read."""

    about: str
    gpus: int
    sockets: int
    on_gpus: int
    """Processes that work on GPUs."""
    accounts: int
    """Processes in all. In each window of the processors about a quarter of them use these."""
    interval_s: float = 1.0

    @property
    def devices(self) -> int:
        """With the processors and their memories."""
        return self.gpus + 2 * self.sockets


SHAPES: Mapping[str, Shape] = {
    "node": Shape("8 GPUs, 1 processor, 64 GPU processes, 200 accounts", 8, 1, 64, 200),
    "large": Shape("16 GPUs, 2 processors, 128 GPU processes, 500 accounts", 16, 2, 128, 500),
    "fast": Shape("56 GPUs, 2 processors with memories at 10 Hz, 56 processes", 56, 2, 56, 56, 0.1),
}


@dataclass(slots=True)
class ShiftedClock:
    """The real clock, or while `lag_s` is above 0 one that is so far behind and stands still."""

    lag_s: float = 0.0
    _began_s: float = field(default_factory=time.monotonic)

    def monotonic_s(self) -> float:
        return self._began_s - self.lag_s if self.lag_s > 0 else time.monotonic()

    def unix_s(self) -> float:
        return time.time() - time.monotonic() + self.monotonic_s()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class SharedUsage:
    """Those who work on a device share what it is used, each by its weight."""

    def __init__(self, weights: Mapping[ProcessId, float], wave: Wave, clock: ShiftedClock) -> None:
        self._weights = weights
        self._whole = sum(weights.values())
        self._wave = wave
        self._clock = clock
        self._since_s = clock.monotonic_s()

    def collect(self) -> Usage:
        """As a GPU tells it."""
        since_s, self._since_s = self._since_s, self._clock.monotonic_s()
        now_s = max(self._since_s, since_s + 1e-6)
        load = self._wave.load((since_s + now_s) / 2) * (now_s - since_s)
        busy_s = {process: load * weight / self._whole for process, weight in self._weights.items() if load > 0}
        return Usage(since_s, now_s, busy_s, holders=frozenset(busy_s), samples=6 * (now_s - since_s))


class CpuUsage:
    """Each keeps so many cores busy when it is its turn."""

    def __init__(self, cores: Mapping[ProcessId, float], clock: ShiftedClock) -> None:
        self._cores = list(cores.items())
        self._clock = clock
        self._since_s = clock.monotonic_s()
        self._windows = 0

    def collect(self) -> Usage:
        """As the kernel tells it."""
        since_s, self._since_s = self._since_s, self._clock.monotonic_s()
        now_s = max(self._since_s, since_s + 1e-6)
        self._windows += 1
        busy_s = {
            process: cores * (now_s - since_s)
            for number, (process, cores) in enumerate(self._cores)
            if number % TURNS == self._windows % TURNS
        }
        return Usage(since_s, now_s, busy_s, capacity_s=CORES * (now_s - since_s))


@dataclass(frozen=True, slots=True)
class Directory:
    """The processes of a machine, who live for ever."""

    infos: Mapping[ProcessId, ProcessInfo]

    def resolve(self, pid: int) -> ProcessId | None:
        return next((process for process in self.infos if process.pid == pid), None)

    def describe(self, process: ProcessId) -> ProcessInfo:
        return self.infos[process]

    def alive(self, process: ProcessId) -> bool:
        return process in self.infos


def build(shape: Shape, clock: ShiftedClock) -> tuple[SensorSet, Directory]:
    """The machine of `shape`."""
    infos = {info.id: info for info in map(_info, range(shape.accounts))}
    processes = list(infos)
    sensors: list[FakeSensor] = []
    usage: dict[str, UsageSource] = {}
    for index in range(shape.gpus):
        sensor = _gpu(index, clock)
        sensors.append(sensor)
        on_it = {one: 1.0 + n % 13 for n, one in enumerate(processes[: shape.on_gpus]) if n % shape.gpus == index}
        usage[sensor.device.id] = SharedUsage(on_it, sensor.wave, clock)
    cores = {process: 0.05 + 0.01 * (number % 5) for number, process in enumerate(processes)}
    for socket in range(shape.sockets):
        for sensor in _package(socket, clock):
            sensors.append(sensor)
            usage[sensor.device.id] = CpuUsage(cores, clock)
    return SensorSet(sensors, usage), Directory(infos)


def _info(number: int) -> ProcessInfo:
    facts = JobFacts(f"sweep-{number // 8}", "vision", "research", "gpu")
    place = Place(Owner("slurm", str(5000 + number // 8), "0"), facts=facts)
    process = ProcessId(BOOT, FIRST_PID + number, 100 + number)
    return ProcessInfo(process, f"worker-{number:03d}", f"user{number // 8 % 17:02d}", place)


def _gpu(index: int, clock: ShiftedClock) -> FakeSensor:
    # Each with a period of its own, so that their sum never repeats.
    wave = Wave(62 + index, 40, 280 + 37 * (index % 8), 31 + 2.3 * index, 0.9 * index)
    return FakeGpu(_device("gpu", index, "Simulated GPU"), wave, clock, _facts())


def _package(socket: int, clock: ShiftedClock) -> Sequence[FakeSensor]:
    processor, memory = _device("cpu", socket, "Simulated processor"), _device("dram", socket, "Simulated memory")
    return (
        FakeSensor(processor, Wave(55, 0, 110, 31.0, float(socket)), clock, _facts()),
        FakeSensor(memory, Wave(8, 0, 12, 43.0, math.pi + socket), clock, _facts()),
    )


def _device(kind: str, index: int, name: str) -> Device:
    match kind:
        case "gpu":
            return Device(f"GPU-{index:08d}", "gpu", name, str(index))
        case "cpu":
            return Device(f"package-{index}", "cpu", name, str(index))
        case _:
            return Device(f"package-{index}/dram", "dram", name, str(index), f"package-{index}")


def _facts() -> DeviceFacts:
    return DeviceFacts("", DRIVER)
