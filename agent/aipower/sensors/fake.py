"""Simulated sensors (`--sensors fake`): a seeded machine that drives the real pipeline without hardware.

For demonstrations, dashboards and tests. Everything is a pure function of time, so counters do not fall over a restart
and two agents on one machine agree. The figures are simulated and are labelled so wherever they are shown.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct

from aipower.model import (
    Conditions,
    Device,
    DeviceFacts,
    JobFacts,
    Kind,
    Owner,
    Place,
    ProcessId,
    ProcessInfo,
    Reading,
    Usage,
)
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.processes.views import CpuUsage
from aipower.seams import Clock, ProcessDirectory, SensorSet, SensorTraits, SystemClock, UsageSource

PUBLISH_S = 0.1
"""As real GPUs publish their counters."""
TRAITS = SensorTraits(PUBLISH_S, power_period_s=PUBLISH_S, power_window_s=PUBLISH_S)
GPU_PERIOD_S = 40.0
LEAD_S = 0.7
"""A job loads its libraries before it uses the GPU."""
DRIVER = "simulated"
BOOT = "fake"
FIRST_PID = 1 << 23
"""Above the kernel's highest pid (2**22), so that a fake process never is a real one."""


TRAINING = Place(Owner("slurm", "4711", "0"), facts=JobFacts("resnet50", "vision", "research", "gpu"))
_CONTAINER = "5ca1ab1e" * 8
SERVING = Place(
    Owner("kubernetes", "0f1a2b3c-4d5e-4f60-8172-93a4b5c6d7e8", _CONTAINER),
    _CONTAINER,
    f"cri-containerd-{_CONTAINER}.scope",
    "kubepods-burstable-pod0f1a2b3c_4d5e_4f60_8172_93a4b5c6d7e8.slice",
    JobFacts(team="language", namespace="serving", pod="vllm-0"),
)
"""Two simulated jobs: a training under Slurm and a server under Kubernetes."""
LIMIT_W = 700.0
"""Power limit of a simulated GPU."""


REST = 0.15
"""Below this load a simulated GPU rests: its processes give their contexts back, and its bare idle level is seen."""
_SINE_AT_REST = 2 * REST - 1
_FIRST = math.asin(_SINE_AT_REST)
"""The angle at which work begins; it lasts for `_WORKING` of each turn."""
_WORKING = math.pi - 2 * _FIRST


@dataclass(frozen=True, slots=True)
class Wave:
    """Work that comes and goes: `idle_w`, while it works `context_w` more, and up to `swing_w` on top."""

    idle_w: float
    context_w: float
    swing_w: float
    period_s: float
    phase: float

    def power_w(self, at_s: float) -> float:
        """Power at a moment."""
        load = self.load(at_s)
        return self.idle_w + (self.context_w + self.swing_w * load if load > 0 else 0.0)

    def load(self, at_s: float) -> float:
        """How hard it works: 0 at rest, else up to 1 - REST."""
        return max(0.0, (1 + math.sin(self._angle(at_s))) / 2 - REST)

    def energy_j(self, at_s: float) -> float:
        """The integral of the power from 0 to `at_s`, in closed form."""
        holding, working = _turned(self._angle(at_s))
        holding_0, working_0 = _turned(self.phase)
        per_radian_s = self.period_s / (2 * math.pi)
        extra_j = self.context_w * (holding - holding_0) + self.swing_w * (working - working_0)
        return self.idle_w * at_s + extra_j * per_radian_s

    def _angle(self, at_s: float) -> float:
        return 2 * math.pi * at_s / self.period_s + self.phase


def _turned(angle: float) -> tuple[float, float]:
    """The integrals, from the start of a turn to `angle`, of "works at all" and of the load."""
    turns, rest = divmod(angle - _FIRST, 2 * math.pi)
    now = min(rest, _WORKING)
    return turns * _WORKING + now, turns * _load_integral(_WORKING) + _load_integral(now)


def _load_integral(angle: float) -> float:
    """The integral of (sin(_FIRST + x) - _SINE_AT_REST) / 2 for x from 0 to `angle`."""
    return (math.cos(_FIRST) - math.cos(_FIRST + angle) - _SINE_AT_REST * angle) / 2


class FakeSensor(Struct, frozen=True):
    """One simulated device."""

    device: Device
    wave: Wave
    clock: Clock
    facts: DeviceFacts
    traits: SensorTraits = TRAITS

    def read(self) -> Reading:
        """The counter as last published, and the power now."""
        at_s = self.clock.monotonic_s()
        published_s = math.floor(at_s / PUBLISH_S) * PUBLISH_S
        return Reading(at_s, round(self.wave.energy_j(published_s) * 1e6), self.wave.power_w(at_s))

    def close(self) -> None:
        """Nothing to free."""


class FakeGpu(FakeSensor, frozen=True):
    """A simulated GPU, which knows its power limit."""

    def conditions(self) -> Conditions:
        """Always the same."""
        return Conditions(LIMIT_W, 0)


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
        shares = {
            process: busy_s * weight / sum(weights) for process, weight in zip(self._processes, weights, strict=True)
        }
        return Usage(
            since_s,
            self._since_s,
            {process: share for process, share in shares.items() if share > 0},
            holders=frozenset(self._processes if self.load() > 0 else ()),
            samples=6 * span_s,
        )

    def load(self) -> float:
        """How hard it works now."""
        return self._wave.load(self._clock.monotonic_s())


class FakeDirectory(Struct, frozen=True):
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


def discover(root: Path = Path("/proc"), clock: Clock | None = None, gpus: int = 2) -> SensorSet:
    """A simulated machine; `root` is where the real processes beside the fake ones are looked up."""
    clock = clock or SystemClock()
    return simulate(gpus, clock, None, ProcessTable(ProcFs(root), clock))[0]


def simulate(
    gpus: int,
    clock: Clock,
    cpu_usage: CpuUsage | None,
    real: ProcessDirectory,
    run_at_s: float | None = None,
    seed: int = 7,
) -> tuple[SensorSet, FakeDirectory]:
    """A machine with `gpus` GPUs, one processor and its memory, and two processes on each GPU.

    For a run that begins at `run_at_s`, the first GPU rests then and goes to work a moment later, as with a real job.
    """
    dice = random.Random(seed)  # noqa: S311 - a plausible load, not a secret
    infos: dict[ProcessId, ProcessInfo] = {}
    sensors: list[FakeSensor] = []
    usage: dict[str, UsageSource] = {}
    for index in range(gpus):
        # Evenly spread over the turn, so that of two or more there is always one at work.
        phase = _first_phase(run_at_s) + 2 * math.pi * index / gpus
        wave = Wave(dice.uniform(60, 80), dice.uniform(26, 66), dice.uniform(250, 600), GPU_PERIOD_S, phase)
        sensors.append(_sensor(f"GPU-fake-{index}", "gpu", "Simulated GPU", index, wave, clock))
        processes = [
            _process(2 * index, "train.py", TRAINING, infos),
            _process(2 * index + 1, "vllm", SERVING, infos),
        ]
        usage[f"GPU-fake-{index}"] = FakeGpuUsage(wave, processes, clock)
    for kind, name, wave in (
        ("cpu", "Simulated processor", Wave(55, 0, 90, 30, dice.uniform(0, 6))),
        ("dram", "Simulated memory", Wave(8, 0, 12, 45, dice.uniform(0, 6))),
    ):
        sensors.append(_sensor(f"fake-{kind}-0", kind, name, 0, wave, clock))
        if cpu_usage is not None:
            usage[f"fake-{kind}-0"] = cpu_usage.socket("0")
    return SensorSet(sensors, usage), FakeDirectory(real, infos)


def adopt(sources: Iterable[UsageSource | None], process: ProcessId, number: int = 0) -> None:
    """Let a simulated GPU be used by a real process instead of its fake ones: the first, or that of a local rank."""
    gpus = [source for source in sources if isinstance(source, FakeGpuUsage)]
    if gpus:
        gpus[number % len(gpus)].adopt(process)


def _first_phase(run_at_s: float | None) -> float:
    if run_at_s is None:
        return 0.0
    return _FIRST - 2 * math.pi * (run_at_s + LEAD_S) / GPU_PERIOD_S


def _sensor(device_id: str, kind: str, name: str, index: int, wave: Wave, clock: Clock) -> FakeSensor:
    kinds: dict[str, Kind] = {"gpu": "gpu", "cpu": "cpu", "dram": "dram"}
    parent = "fake-cpu-0" if kind == "dram" else None
    device = Device(device_id, kinds[kind], name, str(index), parent)
    make = FakeGpu if kind == "gpu" else FakeSensor
    return make(device, wave, clock, DeviceFacts(device_id, DRIVER))


def _process(number: int, comm: str, place: Place, infos: dict[ProcessId, ProcessInfo]) -> ProcessId:
    process = ProcessId(BOOT, FIRST_PID + number, 1)
    infos[process] = ProcessInfo(process, comm, "demo", place)
    return process
