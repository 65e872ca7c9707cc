"""Nodes to push: the small one of the other exporters' tests with jobs and sinks, and a full one."""

from __future__ import annotations

from msgspec.structs import replace

from aipower.model import (
    Device,
    DeviceFacts,
    DeviceState,
    FoldedEnergy,
    JobEnergy,
    JobFacts,
    Owner,
    Place,
    ProcessEnergy,
    ProcessId,
    ProcessInfo,
    SinkState,
    Snapshot,
    Unavailable,
    UserEnergy,
)
from exporters.snapshots import CPU0, GPU0, node

JOB_UNIX_S = 1_789_999_000.0
PROCESSES_UNIX_S = 1_789_990_000.5
SLURM = Owner("slurm", "1234", "0")
VISION = JobFacts("resnet", "vision")
POD = Owner("kubernetes", "0b7e2a52-2c4a-4a51-9d0a-5d7c30a8b1c2", "c" * 64)


def busy(at_unix_s: float = 1_790_000_000.0) -> Snapshot:
    """`node()` with jobs, a source that is missing and a sink, so that every metric has a series."""
    return replace(
        node(),
        at_unix_s=at_unix_s,
        jobs=(
            JobEnergy(SLURM, "ada", GPU0, 4_000_000, 1e5, 60.0, 5.0, VISION, since_unix_s=JOB_UNIX_S),
            JobEnergy(POD, "", GPU0, 1_000_000, 2e4),
            JobEnergy(SLURM, "ada", CPU0, 3_000_000, 3e4),
        ),
        folded_jobs=(FoldedEnergy(GPU0, 0, 123),),
        sinks=(SinkState("far", True, 7, 1, 0.5, {"timeout": 2}, 1_789_999_999.0),),
        unavailable=(Unavailable("CPU (RAPL)", "cpu", "denied", "see doctor"),),
        devices=tuple(replace(state, power_limit_w=700.0) for state in node().devices),
    )


def full(gpus: int = 8, processes: int = 64, at_unix_s: float = 1_790_000_000.0) -> Snapshot:
    """A node of 8 GPUs and 2 processors, on each of which all of 64 processes work: the most that can be."""
    devices = [_gpu(n) for n in range(gpus)] + [Device(f"package-{n}", "cpu", "Xeon 6448Y", str(n)) for n in range(2)]
    rows = [_row(n, device) for n in range(processes) for device in devices]
    return Snapshot(
        at_unix_s,
        "0.1.0",
        devices=tuple(_state(device, rows) for device in devices),
        processes=tuple(rows),
        users=tuple(UserEnergy(str(1000 + n), device, 5_000_000) for n in range(4) for device in devices),
        jobs=tuple(_job(n, device) for n in range(processes // 8) for device in devices),
        folded=tuple(FoldedEnergy(device, 0, 0) for device in devices),
        folded_jobs=tuple(FoldedEnergy(device, 0, 0) for device in devices),
        since_unix_s=1_780_000_000.0,
        agent=node().agent,
    )


def _gpu(number: int) -> Device:
    return Device(f"GPU-{number:08x}-aaaa-bbbb-cccc-{number:012x}", "gpu", "NVIDIA H100 80GB HBM3", str(number))


def _row(number: int, device: Device) -> ProcessEnergy:
    place = Place(Owner("slurm", str(number // 8), "0"))
    info = ProcessInfo(ProcessId("boot", 40_000 + number, number), "python3", str(1000 + number % 4), place)
    context_uj = 1_000_001 if device.kind == "gpu" else 0
    since_unix_s = PROCESSES_UNIX_S + number
    return ProcessEnergy(info, "", device, context_uj, 7_654_321 + number, 5e4, since_unix_s=since_unix_s)


def _job(number: int, device: Device) -> JobEnergy:
    owner = Owner("slurm", str(number), "0")
    return JobEnergy(owner, str(1000 + number % 4), device, 60_000_000 + number, 4e5, 600.0, 5.0)


def _state(device: Device, rows: list[ProcessEnergy]) -> DeviceState:
    context_uj = sum(row.context_uj for row in rows if row.device is device)
    active_uj = sum(row.active_uj for row in rows if row.device is device)
    idle_uj = 10**9
    parts = (idle_uj, context_uj, active_uj, 0)
    return DeviceState(device, DeviceFacts(device.id, "570.86.15"), True, 512.25, sum(parts), *parts)
