"""Snapshots, looks and rows, made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from aipower.model import (
    Device,
    DeviceFacts,
    DeviceState,
    Kind,
    ProcessEnergy,
    ProcessId,
    ProcessInfo,
    RunEnergy,
    Snapshot,
    Unavailable,
)
from aipower.top.head import Surroundings
from aipower.top.look import Look, Origin
from aipower.top.picture import picture_of
from aipower.top.rows import Picture, Sums
from aipower.top.watch import Watch

GPU0 = Device("GPU-a", "gpu", "NVIDIA H100 80GB HBM3", "0")
GPU1 = Device("GPU-b", "gpu", "NVIDIA H100 80GB HBM3", "1")
CPU = Device("package-0", "cpu", "Intel Xeon", "0")
DRAM = Device("package-0/dram", "dram", "Intel Xeon", "0", "package-0")
NODE = Device("psys", "psys", "platform", "0")
DEVICES = (GPU0, GPU1, CPU, DRAM)
HERE = Surroundings("node7", Origin("self", "measured by this program", "by itself"), running_s=754.0)
J = 1_000_000
START_UNIX_S = 1_700_000_000.0


class Used(Struct, frozen=True):
    """What one process used, in microjoules by device."""

    pid: int
    uj: Mapping[Device, int]
    comm: str = "python"
    user: str = "ada"
    run: str = ""
    error_uj: float = 0.0
    ended_s: float | None = None

    @property
    def info(self) -> ProcessInfo:
        return ProcessInfo(ProcessId("boot", self.pid, 1), self.comm, self.user)


class World(Struct, frozen=True):
    """All counters at one moment, in microjoules by device."""

    used: Sequence[Used] = ()
    idle: Mapping[Device, int] = field(default_factory=dict)
    lost: Mapping[Device, int] = field(default_factory=dict)
    other: Mapping[Device, int] = field(default_factory=dict)
    folded: Mapping[Device, int] = field(default_factory=dict)
    powers_w: Mapping[Device, float] = field(default_factory=dict)
    devices: Sequence[Device] = DEVICES
    down: Sequence[Device] = ()
    faults: Mapping[tuple[str, str], int] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)
    driver: str = "570.1"
    since_unix_s: float = START_UNIX_S - 100


def snapshot(world: World, at_s: float = 0.0) -> Snapshot:
    processes = [
        ProcessEnergy(one.info, one.run, device, 0, uj, one.error_uj, one.ended_s)
        for one in world.used
        for device, uj in one.uj.items()
    ]
    processes += [ProcessEnergy(None, "", device, 0, uj, 0.0) for device, uj in world.other.items()]
    return Snapshot(
        START_UNIX_S + at_s,
        "1.0",
        tuple(_state(device, world) for device in world.devices),
        tuple(processes),
        tuple(RunEnergy(run, name, "ada", world.devices[0], 0) for run, name in world.runs.items()),
        world.faults,
        since_unix_s=world.since_unix_s,
    )


def _state(device: Device, world: World) -> DeviceState:
    work_uj = sum(one.uj.get(device, 0) for one in world.used) + world.other.get(device, 0)
    work_uj += world.folded.get(device, 0)
    idle_uj, lost_uj = world.idle.get(device, 0), world.lost.get(device, 0)
    up = device not in world.down
    return DeviceState(
        device,
        DeviceFacts(device.id, world.driver),
        up,
        world.powers_w.get(device) if up else None,
        work_uj + idle_uj + lost_uj,
        idle_uj,
        0,
        work_uj,
        lost_uj,
    )


def look(world: World, at_s: float, *, exact: bool = True, unavailable: Sequence[Unavailable] = ()) -> Look:
    return Look(at_s, snapshot(world, at_s), exact=exact, unavailable=unavailable)


def watched(*looks: Look) -> Watch:
    watch = Watch()
    for one in looks:
        watch.add(one)
    return watch


def busy(count: int = 4, scale: int = 1) -> World:
    """A machine at work: processes on all devices, and all that is none."""
    used = [
        Used(
            1000 + number,
            {GPU0: scale * (count - number) * 30 * J, CPU: scale * 5 * J, DRAM: scale * J},
            comm="python" if number % 2 else "vllm",
            user="ada" if number % 3 else "grace",
            run="20261128T133214Z-1a2b3c4d" if number == 0 else "",
            error_uj=scale * 2 * J,
        )
        for number in range(count)
    ]
    return World(
        used,
        idle={GPU0: scale * 60 * J, GPU1: scale * 70 * J, CPU: scale * 20 * J, DRAM: scale * 3 * J},
        lost={CPU: scale * 2 * J},
        other={CPU: scale * J},
        folded={GPU0: scale * 4 * J},
        powers_w={GPU0: 412.5, GPU1: 70.0, CPU: 48.25, DRAM: 8.0},
        runs={"20261128T133214Z-1a2b3c4d": "baseline"},
    )


def picture(
    *worlds: World, scope: str | None = None, unavailable: Sequence[Unavailable] = (), whole: bool = False
) -> Picture:
    """What is shown after looks at `worlds`, one second apart."""
    looks = [look(world, float(number), unavailable=unavailable) for number, world in enumerate(worlds)]
    return picture_of(watched(*looks), scope, whole=whole)


def all_sums(found: Picture) -> list[Sums]:
    """Of all rows of the table: processes and accounts."""
    return [*(row.sums for row in found.processes), *(account.sums for account in found.accounts)]


def of_kind(found: Picture, kind: Kind) -> int:
    """All energy of `kind` in the table."""
    return sum(sums.kinds_uj.get(kind, 0) for sums in all_sums(found))
