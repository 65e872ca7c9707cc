"""Snapshots for the tests of the exporters: a fixed node, and strategies for any."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.model import (
    AgentStats,
    Device,
    DeviceFacts,
    DeviceState,
    FoldedEnergy,
    JobEnergy,
    JobFacts,
    JournalState,
    OwnEnergy,
    Owner,
    Place,
    ProcessEnergy,
    ProcessId,
    ProcessInfo,
    RunEnergy,
    SinkState,
    Snapshot,
    Unavailable,
    UserEnergy,
)

GPU0 = Device("GPU-0aaa", "gpu", "NVIDIA H100 80GB HBM3", "0")
GPU1 = Device("GPU-1bbb", "gpu", "NVIDIA H100 80GB HBM3", "1")
CPU0 = Device("package-0", "cpu", 'Xeon "Gold" \\ 6448Y', "0")

JOB = Owner("slurm", "1234", "0")
POD = Owner("kubernetes", "0f1a2b3c-4d5e-4f60-8172-93a4b5c6d7e8", "c0ffee" * 10)
TRAIN = ProcessInfo(ProcessId("boot", 4242, 100), "python3", "ada", Place(JOB))
NASTY = ProcessInfo(ProcessId("boot", 4243, 101), 'a"b\\n\n}\x1b[31m\udcff', "eve")


def node() -> Snapshot:
    """Two GPUs, the second one failing, a CPU, two processes and the account `other`."""
    gpu_facts = DeviceFacts("GPU-0aaa", "570.86.15", "counter")
    return Snapshot(
        at_unix_s=1_790_000_000.0,
        version="0.1.0",
        devices=(
            DeviceState(GPU0, gpu_facts, True, 412.5, 10_000_001, 1_000_000, 2_000_000, 6_000_000, 1_000_001),
            DeviceState(GPU1, DeviceFacts("GPU-1bbb", "570.86.15"), False, None, 7, 7, 0, 0, 0),
            DeviceState(CPU0, DeviceFacts(method="integrated"), True, 88.0, 5_000_000, 0, 0, 4_500_000, 500_000),
        ),
        processes=(
            ProcessEnergy(TRAIN, "run-1", GPU0, 1_500_000, 5_000_000, 250_000.0),
            ProcessEnergy(NASTY, "", GPU0, 500_000, 900_000, 50_000.0),
            ProcessEnergy(None, "", GPU0, 0, 100_000, 0.0),
            ProcessEnergy(TRAIN, "run-1", CPU0, 0, 4_000_000, 100_000.0, ended_s=12.0),
            ProcessEnergy(None, "", CPU0, 0, 500_000, 1_000.0),
        ),
        runs=(RunEnergy("run-1", "resnet baseline", "ada", GPU0, 6_500_000),),
        fault_counts={("GPU-1bbb", "gone"): 1, ("", "gap"): 2},
        agent=AgentStats(
            1.25,
            40_000_000,
            3600,
            2.5,
            0.125,
            1,
            3,
            started_unix_s=1_789_990_000.0,
            open_descriptors=20,
            threads=6,
            context_switches=9000,
        ),
        folded=(FoldedEnergy(GPU0, 0, 0), FoldedEnergy(CPU0, 0, 0)),
        users=(
            UserEnergy("ada", GPU0, 6_500_000),
            UserEnergy("", GPU0, 1_500_000),
            UserEnergy("ada", CPU0, 4_500_000),
        ),
        journal=JournalState(True, 360, 1.5, 60_000, 1_789_999_990.0),
        since_unix_s=1_780_000_000.0,
        jobs=(
            JobEnergy(JOB, "ada", GPU0, 6_500_000, 325_000.0, 60.0, 12.5, JobFacts("resnet", "vision", "acc", "gpu")),
            JobEnergy(JOB, "ada", CPU0, 4_000_000, 200_000.0, since_unix_s=1_785_000_000.0),
            JobEnergy(POD, "", GPU0, 900_000, 45_000.0, 60.0, 60.0, JobFacts(namespace="ml", pod="vllm-0")),
            JobEnergy(Owner(), "eve", CPU0, 300_000),
        ),
        folded_jobs=(FoldedEnergy(GPU0, 0, 250_000), FoldedEnergy(GPU1, 0, 0), FoldedEnergy(CPU0, 0, 0)),
        sinks=(SinkState("otlp", False, 10, 1, 0.5, {"refused": 2}, 1_789_999_000.0),),
        unavailable=(Unavailable("CPU (RAPL)", "cpu", "not readable", "run as root"),),
        own=(OwnEnergy(GPU0, 0, 3_000_000), OwnEnergy(CPU0, 2_000, 1_000_000)),
    )


# Surrogates too: the kernel lets any byte but NUL into a comm, and os.fsdecode makes surrogates of them.
WORDS = st.text(max_size=24) | st.text(alphabet='"\\\n\r\x85\u2028{}=,# \t\udcff\ud800', max_size=12)
ENERGIES = st.integers(0, 2**80)
KINDS = st.sampled_from(("gpu", "cpu", "dram", "module", "node", "psys"))
METHODS = st.sampled_from(("counter", "integrated", "estimated"))
POWERS = st.none() | st.floats()
FINITE = st.floats(0, 1e12)

DEVICES = st.builds(Device, id=WORDS, kind=KINDS, name=WORDS, index=WORDS)
INFOS = st.builds(
    ProcessInfo,
    id=st.builds(ProcessId, boot=st.just("b"), pid=st.integers(1, 4), started_ticks=st.integers(0, 9)),
    comm=WORDS,
    user=WORDS,
    place=st.builds(Place, owner=st.builds(Owner, system=WORDS, job=WORDS), container=WORDS, unit=WORDS),
)


@st.composite
def device_states(draw: st.DrawFn) -> DeviceState:
    """A device whose components sum to its energy."""
    parts = draw(st.tuples(ENERGIES, ENERGIES, ENERGIES, ENERGIES))
    facts = draw(st.builds(DeviceFacts, uuid=WORDS, driver=WORDS, method=METHODS))
    state = DeviceState(draw(DEVICES), facts, draw(st.booleans()), draw(POWERS), sum(parts), *parts)
    return replace(state, power_limit_w=draw(st.none() | FINITE))


PROCESSES = st.builds(
    ProcessEnergy,
    info=st.none() | INFOS,
    run=WORDS,
    device=DEVICES,
    context_uj=ENERGIES,
    active_uj=ENERGIES,
    error_uj=st.floats(min_value=0),
)
RUNS = st.builds(RunEnergy, run=WORDS, name=WORDS, user=WORDS, device=DEVICES, energy_uj=ENERGIES)
USERS = st.builds(UserEnergy, user=WORDS, device=DEVICES, energy_uj=ENERGIES)
FOLDED = st.builds(FoldedEnergy, device=DEVICES, context_uj=ENERGIES, active_uj=ENERGIES)
COUNTS = st.integers(0, 2**63)
JOURNALS = st.builds(
    JournalState,
    up=st.booleans(),
    flushes=COUNTS,
    flush_s=FINITE,
    size_bytes=COUNTS,
    written_unix_s=st.none() | FINITE,
)
STATS = st.builds(
    AgentStats,
    cpu_s=FINITE,
    resident_bytes=COUNTS,
    ticks=COUNTS,
    tick_s=FINITE,
    late_s=FINITE,
    missed_ticks=COUNTS,
    folded_series=COUNTS,
    started_unix_s=st.none() | FINITE,
    open_descriptors=COUNTS,
    threads=COUNTS,
    context_switches=COUNTS,
)
OWNERS = st.builds(Owner, system=WORDS, job=WORDS, step=WORDS)
FACTS = st.builds(JobFacts, name=WORDS, team=WORDS, account=WORDS, partition=WORDS, namespace=WORDS, pod=WORDS)
SINKS = st.builds(
    SinkState,
    name=WORDS,
    up=st.booleans(),
    pushes=COUNTS,
    skipped=COUNTS,
    push_s=FINITE,
    faults=st.dictionaries(WORDS, COUNTS, max_size=2),
    pushed_unix_s=st.none() | FINITE,
)
MISSING = st.builds(Unavailable, source=WORDS, kind=KINDS, reason=WORDS, remedy=WORDS)
PLAIN_SNAPSHOTS = st.builds(
    Snapshot,
    at_unix_s=st.floats(),
    version=WORDS,
    devices=st.lists(device_states(), max_size=3, unique_by=lambda state: state.device.id).map(tuple),
    processes=st.lists(PROCESSES, max_size=4).map(tuple),
    runs=st.lists(RUNS, max_size=3).map(tuple),
    fault_counts=st.dictionaries(st.tuples(WORDS, WORDS), COUNTS, max_size=3),
    agent=STATS,
    folded=st.lists(FOLDED, max_size=3).map(tuple),
    users=st.lists(USERS, max_size=3).map(tuple),
    journal=st.none() | JOURNALS,
    since_unix_s=st.none() | FINITE,
    sinks=st.lists(SINKS, max_size=2).map(tuple),
    unavailable=st.lists(MISSING, max_size=2).map(tuple),
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """With jobs, which have used devices that are there."""
    snapshot = draw(PLAIN_SNAPSHOTS)
    if not snapshot.devices:
        return snapshot
    used = st.sampled_from([state.device for state in snapshot.devices])
    jobs = st.builds(
        JobEnergy,
        owner=OWNERS,
        user=WORDS,
        device=used,
        energy_uj=ENERGIES,
        error_uj=FINITE,
        held_s=FINITE,
        unused_s=FINITE,
        facts=FACTS,
        since_unix_s=st.none() | FINITE,
    )
    folded = st.builds(FoldedEnergy, device=used, context_uj=ENERGIES, active_uj=ENERGIES)
    rows, past = draw(st.lists(jobs, max_size=3)), draw(st.lists(folded, max_size=2))
    devices = tuple(used_by(state, rows, past) for state in snapshot.devices)
    return replace(snapshot, devices=devices, jobs=tuple(rows), folded_jobs=tuple(past))


def used_by(state: DeviceState, jobs: Iterable[JobEnergy], folded: Iterable[FoldedEnergy]) -> DeviceState:
    """The device after jobs have used it as well."""
    energy_uj = sum(job.energy_uj for job in jobs if job.device.id == state.device.id)
    energy_uj += sum(past.context_uj + past.active_uj for past in folded if past.device.id == state.device.id)
    return replace(state, energy_uj=state.energy_uj + energy_uj, active_uj=state.active_uj + energy_uj)


SNAPSHOTS = snapshots()
