"""The hardware of a simulated node, behind the same seams as real hardware: sensors, usage and processes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from aipower.errors import SensorFailedError
from aipower.model import Conditions, Device, DeviceFacts, ProcessId, ProcessInfo, Reading, Usage
from aipower.seams import SensorSet, SensorTraits
from fleet.plan import CPU, DRAM, HOUR_S, START_UNIX_S, Box, Work, work_j, work_w

PUBLISH_S = 0.1
GPU_LIMIT_W = 700.0
CPU_CORES = 64
FIRST_PID = 1000
TRAITS = SensorTraits(PUBLISH_S, power_period_s=PUBLISH_S, power_window_s=PUBLISH_S)


class StoryClock:
    """Seconds since the story began, that move when told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic_s(self) -> float:
        """Also the time since the boot."""
        return self.now_s

    def unix_s(self) -> float:
        """The wall clock of the story."""
        return START_UNIX_S + self.now_s

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now_s += seconds


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the story as the node knows it."""

    id: ProcessId
    work: Work


@dataclass(frozen=True, slots=True)
class Sensor:
    """The counter of one device: its idle level and what all work on it draws, in closed form."""

    device: Device
    idle_w: float
    processes: Sequence[Process]
    clock: StoryClock
    facts: DeviceFacts
    broken_h: tuple[float, float] = (-1.0, -1.0)
    limit_w: float | None = None
    traits: SensorTraits = TRAITS

    def read(self) -> Reading:
        """The counter and the power now.

        Raises:
            SensorFailedError: The story has it broken.
        """
        at_s = self.clock.monotonic_s()
        if self.broken_h[0] * HOUR_S <= at_s < self.broken_h[1] * HOUR_S:
            raise SensorFailedError("read_failed", "the story has it broken")
        return Reading(at_s, round(self.energy_j(at_s) * 1e6), self._power_w(at_s))

    def conditions(self) -> Conditions:
        """Its power limit."""
        return Conditions(power_limit_w=self.limit_w)

    def close(self) -> None:
        """Nothing to free."""

    def energy_j(self, at_s: float) -> float:
        """All that it has drawn until `at_s`."""
        return self.idle_w * at_s + math.fsum(
            work_j(load, work.begin_s, work.end_s, at_s)
            for work in (process.work for process in self.processes)
            for load in work.loads
            if load.device == self.device.id
        )

    def _power_w(self, at_s: float) -> float:
        return self.idle_w + math.fsum(
            work_w(load, work.begin_s, work.end_s, at_s)
            for work in (process.work for process in self.processes)
            for load in work.loads
            if load.device == self.device.id
        )


class DeviceUsage:
    """Who worked on one device."""

    def __init__(self, device: Device, processes: Sequence[Process], clock: StoryClock) -> None:
        self._device = device
        self._processes = processes
        self._clock = clock
        self._since_s = clock.monotonic_s()

    def collect(self) -> Usage:
        """Busy seconds since the last call, and who holds the device now."""
        since_s, self._since_s = self._since_s, self._clock.monotonic_s()
        now_s = max(self._since_s, since_s + 1e-6)
        busy_s: dict[ProcessId, float] = {}
        holders: set[ProcessId] = set()
        for process in self._processes:
            work = process.work
            for load in work.loads:
                if load.device != self._device.id:
                    continue
                spent_s = max(0.0, min(now_s, work.end_s) - max(since_s, work.begin_s))
                if load.busy * spent_s > 0:
                    busy_s[process.id] = load.busy * spent_s
                if self._device.kind == "gpu" and work.begin_s <= now_s < work.end_s:
                    holders.add(process.id)
        return self._usage(since_s, now_s, busy_s, frozenset(holders))

    def _usage(
        self, since_s: float, now_s: float, busy_s: dict[ProcessId, float], holders: frozenset[ProcessId]
    ) -> Usage:
        if self._device.kind == "gpu":
            return Usage(since_s, now_s, busy_s, holders=holders, samples=6 * (now_s - since_s))
        return Usage(since_s, now_s, busy_s, capacity_s=CPU_CORES * (now_s - since_s))


@dataclass(frozen=True, slots=True)
class Directory:
    """The processes of the story."""

    infos: dict[ProcessId, ProcessInfo]
    works: dict[ProcessId, Work]
    clock: StoryClock
    by_pid: dict[int, ProcessId] = field(default_factory=dict)

    def resolve(self, pid: int) -> ProcessId | None:
        """Pids are never used twice here."""
        return self.by_pid.get(pid)

    def describe(self, process: ProcessId) -> ProcessInfo:
        """With its place."""
        return self.infos[process]

    def alive(self, process: ProcessId) -> bool:
        """As the story has it."""
        work = self.works[process]
        return work.begin_s <= self.clock.now_s < work.end_s


@dataclass(frozen=True, slots=True)
class Machine:
    """One node, as its agent finds it."""

    box: Box
    clock: StoryClock
    processes: tuple[Process, ...]
    sensors: tuple[Sensor, ...]
    directory: Directory

    def found(self) -> SensorSet:
        """What discovery gives, new each time."""
        usage = {sensor.device.id: DeviceUsage(sensor.device, self.processes, self.clock) for sensor in self.sensors}
        return SensorSet(self.sensors, usage)


def machine(box: Box, works: Sequence[Work]) -> Machine:
    """The node `box` with those of `works` that run there."""
    clock = StoryClock()
    own = [work for work in works if work.node == box.name]
    processes = tuple(
        Process(ProcessId(box.name, FIRST_PID + number, int(work.begin_s * 100)), work)
        for number, work in enumerate(own)
    )
    directory = Directory(
        {one.id: ProcessInfo(one.id, one.work.comm, one.work.user, one.work.place) for one in processes},
        {one.id: one.work for one in processes},
        clock,
        {one.id.pid: one.id for one in processes},
    )
    return Machine(box, clock, processes, tuple(_sensors(box, processes, clock)), directory)


def _sensors(box: Box, processes: Sequence[Process], clock: StoryClock) -> list[Sensor]:
    sensors = [_gpu(box, index, processes, clock) for index in range(box.gpus)]
    cpu = Device(CPU, "cpu", "Simulated processor", "0")
    sensors.append(Sensor(cpu, box.cpu_idle_w, processes, clock, DeviceFacts()))
    if box.has_dram:
        dram = Device(DRAM, "dram", "Simulated memory", "0", CPU)
        sensors.append(Sensor(dram, box.dram_idle_w, processes, clock, DeviceFacts()))
    return sensors


def _gpu(box: Box, index: int, processes: Sequence[Process], clock: StoryClock) -> Sensor:
    uuid = box.gpu(index)
    device = Device(uuid, "gpu", "Simulated GPU 80GB", str(index))
    broken_h = box.broken[1:] if box.broken[0] == uuid else (-1.0, -1.0)
    idle_w = box.gpu_idle_w + 2 * index
    return Sensor(device, idle_w, processes, clock, DeviceFacts(uuid, "simulated"), broken_h, GPU_LIMIT_W)
