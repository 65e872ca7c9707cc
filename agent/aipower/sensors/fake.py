"""Simulated sensors (`--sensors fake`): a seeded machine that drives the real pipeline without hardware.

For demonstrations, dashboards and tests. Everything is a pure function of time, so counters do not fall over a restart
and two agents on one machine agree. The figures are simulated and are labelled so wherever they are shown.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from aipower.model import Device, DeviceFacts, Kind, ProcessId, ProcessInfo, Reading, Usage
from aipower.seams import Clock, ProcessDirectory, SensorSet, SensorTraits, UsageSource

PUBLISH_S = 0.1
"""As real GPUs publish their counters."""
DRIVER = "simulated"
BOOT = "fake"
FIRST_PID = 1 << 23
"""Above the kernel's highest pid (2**22), so that a fake process never is a real one."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Power that swings between `low_w` and `low_w + swing_w`."""

    low_w: float
    swing_w: float
    period_s: float
    phase: float

    def power_w(self, at_s: float) -> float:
        """Power at a moment."""
        return self.low_w + self.swing_w * self.load(at_s)

    def load(self, at_s: float) -> float:
        """From 0 to 1."""
        return (1 + math.sin(self._angle(at_s))) / 2

    def energy_j(self, at_s: float) -> float:
        """The integral of the power from 0 to `at_s`, in closed form."""
        cosines = math.cos(self._angle(at_s)) - math.cos(self.phase)
        return (self.low_w + self.swing_w / 2) * at_s - self.swing_w * self.period_s / (4 * math.pi) * cosines

    def _angle(self, at_s: float) -> float:
        return 2 * math.pi * at_s / self.period_s + self.phase


@dataclass(frozen=True, slots=True)
class FakeSensor:
    """One simulated device."""

    device: Device
    wave: Wave
    clock: Clock
    facts: DeviceFacts
    traits: SensorTraits = field(default_factory=lambda: SensorTraits(PUBLISH_S))

    def read(self) -> Reading:
        """The counter as last published, and the power now."""
        at_s = self.clock.monotonic_s()
        published_s = math.floor(at_s / PUBLISH_S) * PUBLISH_S
        return Reading(at_s, round(self.wave.energy_j(published_s) * 1e6), self.wave.power_w(at_s))

    def close(self) -> None:
        """Nothing to free."""


class FakeGpuUsage:
    """Who works on a simulated GPU: its own fake processes, or real ones that were adopted."""

    def __init__(self, wave: Wave, processes: Sequence[ProcessId], clock: Clock) -> None:
        self._wave = wave
        self._processes = list(processes)
        self._clock = clock
        self._since_s = clock.monotonic_s()

    def adopt(self, process: ProcessId) -> None:
        """Let `process` take the place of the fake ones."""
        self._processes = [process]

    def collect(self) -> Usage:
        """Busy seconds since the last call, in a fixed proportion 2:1:1... among the processes."""
        since_s, self._since_s = self._since_s, self._clock.monotonic_s()
        span_s = max(self._since_s - since_s, 1e-6)
        busy_s = self._wave.load((since_s + self._since_s) / 2) * span_s
        weights = [2.0] + [1.0] * (len(self._processes) - 1)
        whole = sum(weights)
        shares = {process: busy_s * weight / whole for process, weight in zip(self._processes, weights, strict=False)}
        return Usage(
            since_s,
            self._since_s,
            {process: share for process, share in shares.items() if share > 0},
            holders=frozenset(self._processes),
            samples=6 * span_s,
        )


@dataclass(frozen=True, slots=True)
class FakeDirectory:
    """The real processes plus the simulated ones."""

    real: ProcessDirectory
    fakes: dict[ProcessId, ProcessInfo]

    def resolve(self, pid: int) -> ProcessId | None:
        """As the real directory."""
        return self.real.resolve(pid)

    def describe(self, process: ProcessId) -> ProcessInfo:
        """A fake process's name, or what the real directory knows."""
        return self.fakes.get(process) or self.real.describe(process)

    def alive(self, process: ProcessId) -> bool:
        """Fake processes live for ever."""
        return process in self.fakes or self.real.alive(process)


def simulate(
    gpus: int, clock: Clock, cpu_usage: UsageSource | None, real: ProcessDirectory, seed: int = 7
) -> tuple[SensorSet, FakeDirectory]:
    """A machine with `gpus` GPUs, one processor and its memory, and two processes on each GPU."""
    dice = random.Random(seed)  # noqa: S311 - a plausible load, not a secret
    infos: dict[ProcessId, ProcessInfo] = {}
    sensors: list[FakeSensor] = []
    usage: dict[str, UsageSource] = {}
    for index in range(gpus):
        wave = Wave(dice.uniform(90, 130), dice.uniform(200, 450), dice.uniform(20, 60), dice.uniform(0, 6))
        sensors.append(_sensor(f"GPU-fake-{index}", "gpu", "Simulated GPU", index, wave, clock))
        processes = [_process(2 * index, "train.py", infos), _process(2 * index + 1, "vllm", infos)]
        usage[f"GPU-fake-{index}"] = FakeGpuUsage(wave, processes, clock)
    for kind, name, wave in (
        ("cpu", "Simulated processor", Wave(55, 90, 30, dice.uniform(0, 6))),
        ("dram", "Simulated memory", Wave(8, 12, 45, dice.uniform(0, 6))),
    ):
        sensors.append(_sensor(f"fake-{kind}-0", kind, name, 0, wave, clock))
        if cpu_usage is not None:
            usage[f"fake-{kind}-0"] = cpu_usage
    return SensorSet(sensors, usage), FakeDirectory(real, infos)


def adopt(source: UsageSource | None, process: ProcessId) -> None:
    """Let the simulated GPU of `source` be used by a real process instead of its fake ones."""
    if isinstance(source, FakeGpuUsage):
        source.adopt(process)


def _sensor(device_id: str, kind: str, name: str, index: int, wave: Wave, clock: Clock) -> FakeSensor:
    kinds: dict[str, Kind] = {"gpu": "gpu", "cpu": "cpu", "dram": "dram"}
    parent = "fake-cpu-0" if kind == "dram" else None
    device = Device(device_id, kinds[kind], name, str(index), parent)
    return FakeSensor(device, wave, clock, DeviceFacts(device_id, DRIVER))


def _process(number: int, comm: str, infos: dict[ProcessId, ProcessInfo]) -> ProcessId:
    process = ProcessId(BOOT, FIRST_PID + number, 1)
    infos[process] = ProcessInfo(process, comm, "demo")
    return process
