"""Agents that never were: what they tell their pages, of any size."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from aipower.footprint.settings import Footprint
from aipower.model import (
    AgentStats,
    Device,
    DeviceFacts,
    DeviceState,
    FoldedEnergy,
    JobEnergy,
    JobFacts,
    JournalState,
    Kind,
    Method,
    Owner,
    PartError,
    Place,
    ProcessEnergy,
    ProcessId,
    ProcessInfo,
    RunEnergy,
    SinkState,
    Snapshot,
    Unavailable,
)
from aipower.runrecord import RunRecord
from aipower.site.history import By, Chart, Layer, Part, Ticks, Window
from aipower.site.sources import Condition, KeptRun, Now, Sources

START_UNIX_S = 1_790_000_000.0
START_S = 5_000.25
"""Of the monotonic clock when the world begins."""
SETTINGS: Mapping[str, object] = {
    "interval_s": 1.0,
    "process_interval_s": 5.0,
    "history_s": 21600.0,
}
PRICED = Footprint(price_per_kwh=0.3, currency="EUR", pue=1.2, zone="DEU")
UNNAMED = "unnamed"


@dataclass
class FakeClock:
    """Both clocks, which move when they are told to."""

    monotonic_s: float = START_S
    unix_s: float = START_UNIX_S
    jitter_s: Sequence[float] = (0.0,)
    """What goes by between the looks at the two clocks, one after the other and again."""
    looks: int = 0

    def now(self) -> Now:
        self.looks += 1
        return Now(self.monotonic_s, self.unix_s + self.jitter_s[self.looks % len(self.jitter_s)])

    def go(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.unix_s += seconds


@dataclass
class FakeHistory:
    """The protocol of the history in the plainest way: everything is kept and looked through each time."""

    rows: list[tuple[float, Mapping[str, float | None]]] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    infos: dict[ProcessId, ProcessInfo] = field(default_factory=dict)

    def ticks(self, after_s: float, devices: Collection[str]) -> Ticks:
        rows = [row for row in self.rows if row[0] > after_s]
        columns = {device: tuple(powers.get(device) for _, powers in rows) for device in devices}
        return Ticks(tuple(at_s for at_s, _ in rows), columns)

    def chart(self, devices: Collection[str], by: By, start_s: float, end_s: float, step_s: float) -> Chart:
        """A window counts for the step in which it begins; a step is complete once a window begins later."""
        windows = [window for window in self.windows if window.device in devices]
        if not windows:
            return Chart(step_s)
        complete = int(max(window.start_s for window in windows) / step_s + 1e-9)
        first = int(-(-(start_s - 1e-9) // step_s))
        steps = range(first, min(complete, int(end_s / step_s + 1e-9)))
        found = [[w for w in windows if int(w.start_s / step_s + 1e-9) == step] for step in steps]
        total = tuple(sum(w.mean_w for w in of_step) if of_step else None for of_step in found)
        layers = [self._layer(key, by, found) for key in self._keys(windows, devices, by)]
        starts_s = tuple(step * step_s for step in steps)
        return Chart(step_s, starts_s, total, total, total, total, tuple(layers), complete * step_s)

    def latest(self) -> Mapping[str, Window]:
        return {window.device: window for window in self.windows}

    def reach(self) -> tuple[float, float] | None:
        return (self.rows[0][0], self.rows[-1][0]) if self.rows else None

    def _keys(self, windows: Sequence[Window], devices: Collection[str], by: By) -> Sequence[str | ProcessId]:
        if by == "process":
            return sorted({process for window in windows for process in window.parts}, key=lambda one: one.pid)
        return ("idle", "context", "active", "unattributed") if by == "component" else tuple(devices)

    def _layer(self, key: str | ProcessId, by: By, found: Sequence[Sequence[Window]]) -> Layer:
        values = tuple(sum(_part_w(window, key, by) for window in windows) if windows else None for windows in found)
        if isinstance(key, ProcessId):
            return Layer(f"{key.boot}-{key.pid}-{key.started_ticks}", values, values, self.infos.get(key))
        return Layer(key, values, values)


def _part_w(window: Window, key: str | ProcessId, by: By) -> float:
    if isinstance(key, ProcessId):
        part = window.parts.get(key)
        return part.context_w + part.active_w if part else 0.0
    if by == "device":
        return window.mean_w if window.device == key else 0.0
    return float(getattr(window, f"{key}_w"))


@dataclass
class FakeShelf:
    """Runs without files."""

    kept: Sequence[KeptRun] = ()
    reason: str = ""
    asked: int = 0

    def hidden(self) -> str:
        return self.reason

    def runs(self) -> Sequence[KeptRun]:
        self.asked += 1
        return self.kept

    def record(self, run_id: str) -> RunRecord | None:
        raise AssertionError(f"nobody asks for the record {run_id} here")


@dataclass(frozen=True)
class FakeScales:
    """All sensors are off by up to 5 %, those of `unknown` by nobody knows what."""

    unknown: Collection[str] = ()
    calibrated: Collection[str] = ()

    def scope(self, device: str) -> str | None:
        return device if device in self.calibrated else None

    def power_half_w(self, device: str, power_w: float) -> float | None:
        return None if device in self.unknown else 0.05 * abs(power_w)

    def energy_half_j(self, device: str, energy_j: float, span_s: float) -> float | None:
        return None if device in self.unknown else 0.05 * energy_j + 0.0 * span_s


@dataclass
class World:
    """An agent; change what you like."""

    snapshot: Snapshot | None
    history: FakeHistory = field(default_factory=FakeHistory)
    clock: FakeClock = field(default_factory=FakeClock)
    condition: Condition = field(default_factory=lambda: Condition("ok", "", 0.4))
    shelf: FakeShelf = field(default_factory=FakeShelf)
    scales: FakeScales = field(default_factory=FakeScales)
    footprint: Footprint = PRICED
    settings: Mapping[str, object] = field(default_factory=lambda: SETTINGS)

    def sources(self) -> Sources:
        return Sources(
            snapshot=lambda: self.snapshot,
            now=self.clock.now,
            condition=lambda: self.condition,
            history=self.history,
            scales=self.scales,
            shelf=self.shelf,
            footprint=self.footprint,
            settings=self.settings,
            host="node-1",
        )


@dataclass(frozen=True)
class Size:
    """How large a node is."""

    gpus: int = 2
    cpus: int = 1
    gpu_processes: int = 4
    processes: int = 8
    """With accounts, the GPU processes among them."""
    jobs: int = 3
    rate_hz: float = 1.0
    history_s: float = 30.0
    seed: int = 7


def world(size: Size = Size()) -> World:
    """A node at work: two seconds old windows, ticks, jobs, a run that goes on, and a little of everything else."""
    dice = random.Random(size.seed)
    devices = _devices(size)
    infos = [_info(number, size) for number in range(size.processes)]
    users = {device.id: _users(device, number, infos, size) for number, device in enumerate(devices)}
    history = FakeHistory(infos={info.id: info for info in infos})
    ticks = int(size.history_s * size.rate_hz)
    for tick in range(ticks):
        at_s = START_S - (ticks - 1 - tick) / size.rate_hz
        history.rows.append((at_s, {device.id: 100 + dice.random() * 300 for device in devices}))
    for second in range(int(size.history_s)):
        for device in devices:
            history.windows.append(_window(device, int(START_S) - size.history_s + second, users[device.id], dice))
    return World(_snapshot(devices, users, dice), history, shelf=FakeShelf(KEPT))


KEPT = (
    KeptRun("run-0", "resnet", "going", START_UNIX_S - 100),
    KeptRun("run-old", "llama <b>", "ended", START_UNIX_S - 9000, 60.5, 0, 1234.5, (1200.0, 1270.0)),
    KeptRun("run-dead", "gone", "killed", START_UNIX_S - 9900, None, None, None, None),
)


def _devices(size: Size) -> list[Device]:
    gpus = [Device(f"GPU-{n:04x}", "gpu", "NVIDIA H100 80GB HBM3", str(n)) for n in range(size.gpus)]
    cpus = [Device(f"package-{n}", "cpu", "Xeon", str(n)) for n in range(size.cpus)]
    drams = [Device(f"dram-{n}", "dram", "DRAM", str(n), f"package-{n}") for n in range(size.cpus)]
    return [*gpus, *cpus, *drams, Device("psys", "psys", "Platform", "0")]


def _info(number: int, size: Size) -> ProcessInfo:
    job = number % size.jobs if size.jobs else 0
    owner = Owner("slurm", str(1000 + job), "0") if job else Owner()
    place = Place(owner, unit=f"unit-{number}.service")
    return ProcessInfo(ProcessId("boot-1", 4000 + number, 100 + number), f"python{number}", f"user{job}", place)


def _users(device: Device, number: int, infos: Sequence[ProcessInfo], size: Size) -> list[ProcessInfo]:
    if device.kind == "psys":
        return []
    if device.kind == "gpu":
        return [info for at, info in enumerate(infos[: size.gpu_processes]) if at % size.gpus == number]
    return list(infos) if device.index == "0" else list(infos[::3])


def _window(device: Device, start_s: float, users: Sequence[ProcessInfo], dice: random.Random) -> Window:
    context = {info.id: 10.0 * dice.random() if device.kind == "gpu" else 0.0 for info in users}
    active = {info.id: 90.0 * dice.random() for info in users}
    idle_w, unattributed_w = 40.0 + dice.random(), dice.random()
    context_w, active_w = sum(context.values()), sum(active.values())
    mean_w = idle_w + context_w + active_w + unattributed_w
    parts = {key: Part(context[key], active[key], 0.1 * active[key]) for key in context}
    half_w = 0.05 * mean_w
    return Window(device.id, start_s, start_s + 1, mean_w, half_w, idle_w, context_w, active_w, unattributed_w, parts)


METHODS: Mapping[Kind, Method] = {"gpu": "counter", "cpu": "integrated", "dram": "estimated", "psys": "counter"}


def _snapshot(devices: Sequence[Device], users: Mapping[str, Sequence[ProcessInfo]], dice: random.Random) -> Snapshot:
    processes = [_energy(info, device, dice) for device in devices for info in users[device.id]]
    processes.sort(key=lambda row: row.info.id.pid if row.info else 0)
    processes += [ProcessEnergy(None, "", device, 0, dice.randrange(10**9), 0.0) for device in devices]
    folded = tuple(FoldedEnergy(device, 5, dice.randrange(10**9)) for device in devices)
    states = tuple(_state(device, processes, folded, dice) for device in devices)
    return Snapshot(
        at_unix_s=START_UNIX_S,
        version="0.7.0",
        devices=states,
        processes=tuple(processes),
        runs=tuple(RunEnergy("run-0", "resnet", "user0", d, 10**9, since_unix_s=START_UNIX_S - 99) for d in devices),
        fault_counts={(devices[0].id, "gone"): 2, (devices[0].id, "gap"): 0, ("", "late"): 1},
        agent=AgentStats(12.5, 40_000_000, 3600, 2.5, 0.1, 1, 3, START_UNIX_S - 3600, 20, 6, 9000),
        folded=folded,
        journal=JournalState(True, 360, 1.5, 60_000, START_UNIX_S - 3),
        since_unix_s=START_UNIX_S - 10**6,
        boot="boot-1",
        number=17,
        jobs=tuple(_jobs(processes)),
        sinks=(SinkState("otlp", False, 10, 1, 0.5, {"refused": 2}, START_UNIX_S - 60),),
        unavailable=(Unavailable("GPU (AMD)", "gpu", "no driver", "install ROCm"),),
    )


def _energy(info: ProcessInfo, device: Device, dice: random.Random) -> ProcessEnergy:
    context_uj = dice.randrange(10**10) if device.kind == "gpu" else 0
    active_uj = dice.randrange(10**11)
    run = "run-0" if info.id.pid == 4000 else ""
    error = PartError(1e14, 1e6)
    return ProcessEnergy(
        info, run, device, context_uj, active_uj, 0.05 * active_uj + 3e7, None, error, START_UNIX_S - 500
    )


def _state(
    device: Device, processes: Sequence[ProcessEnergy], folded: Sequence[FoldedEnergy], dice: random.Random
) -> DeviceState:
    everything: list[ProcessEnergy | FoldedEnergy] = [*processes, *folded]
    rows = [row for row in everything if row.device.id == device.id]
    context_uj, active_uj = sum(row.context_uj for row in rows), sum(row.active_uj for row in rows)
    idle_uj, unattributed_uj = dice.randrange(10**12), dice.randrange(10**8)
    facts = DeviceFacts(device.id if device.kind == "gpu" else "", "570.86.15", METHODS[device.kind])
    energy_uj = idle_uj + context_uj + active_uj + unattributed_uj
    power_w = 100 + dice.random() * 300
    parts = (energy_uj, idle_uj, context_uj, active_uj, unattributed_uj)
    return DeviceState(device, facts, True, power_w, *parts, None, START_UNIX_S, 700.0, 62.5)


def _jobs(processes: Sequence[ProcessEnergy]) -> list[JobEnergy]:
    sums: dict[tuple[Owner, str, Device], int] = {}
    for row in processes:
        if row.info is not None:
            key = row.info.place.owner, row.info.user, row.device
            sums[key] = sums.get(key, 0) + row.context_uj + row.active_uj
    facts = JobFacts("train", "vision", "acc", "gpu")
    return [
        JobEnergy(owner, user, device, uj, 0.05 * uj, 60.0, 12.5, facts, None, PartError(), START_UNIX_S - 900)
        for (owner, user, device), uj in sums.items()
    ]


def down(snapshot: Snapshot, device: str) -> Snapshot:
    """`device` has fallen off the bus."""
    states = tuple(
        replace(state, up=False, power_w=None) if state.device.id == device else state for state in snapshot.devices
    )
    return replace(snapshot, devices=states, number=snapshot.number + 1)
