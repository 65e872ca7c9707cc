"""A node with two GPUs, a processor and its memory, and jobs of two users on it."""

from __future__ import annotations

from aipower.model import (
    Device,
    DeviceFacts,
    DeviceState,
    JobEnergy,
    JobFacts,
    Owner,
    PartError,
    Snapshot,
)

GPUS = [Device(f"GPU-{index}", "gpu", "H100", str(index)) for index in range(2)]
CPU = Device("intel-rapl:0", "cpu", "package-0", "0")
DRAM = Device("intel-rapl:0:0", "dram", "dram", "0", "intel-rapl:0")
NODE = Device("node", "node", "the whole", "0")
TRAIN = JobFacts("train", team="nlp", account="physics", partition="gpu", gpus=("0", "1"))


def used(
    owner: Owner, user: str, device: Device, energy_uj: int, held_s: float = 0.0, unused_s: float = 0.0
) -> JobEnergy:
    """Off by a tenth, half of the variance independent."""
    facts = TRAIN if owner.system == "slurm" else JobFacts()
    variance_uj2 = (0.05 * energy_uj / 1.96) ** 2
    return JobEnergy(
        owner, user, device, energy_uj, 0.1 * energy_uj, held_s, unused_s, facts, None, PartError(variance_uj2), 1000.0
    )


def snapshot() -> Snapshot:
    """All of it."""
    step, none = Owner("slurm", "4711", "0"), Owner()
    states = [
        DeviceState(device, DeviceFacts(driver="565"), True, 100.0, 10**9, 0, 0, 10**9, 0)
        for device in (*GPUS, CPU, DRAM, NODE)
    ]
    return Snapshot(
        2000.0,
        "1.2.3",
        tuple(states),
        jobs=(
            used(step, "ada", GPUS[0], 600_000_000, 60.0, 0.0),
            used(step, "ada", GPUS[1], 200_000_000, 60.0, 45.0),
            used(step, "ada", CPU, 100_000_000),
            used(step, "ada", NODE, 999_000_000),
            used(Owner("systemd", "vllm.service"), "grace", CPU, 50_000_001),
            used(none, "ada", CPU, 3),
            used(none, "", CPU, 7),
        ),
        boot="b",
        since_unix_s=900.0,
    )
