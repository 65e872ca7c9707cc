"""Ledgers with a history, for the tests of the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.attribution.baseline import Floor
from aipower.books.accounts import series_key
from aipower.books.ledger import Ledger
from aipower.books.resume import revived
from aipower.model import (
    Attribution,
    Device,
    EnergyDelta,
    Fault,
    FoldedEnergy,
    JobFacts,
    Owner,
    PartError,
    Place,
    Position,
    ProcessEnergy,
    ProcessId,
    ProcessInfo,
    Snapshot,
    Usage,
)
from fakes import CPU, GPU, FakeDirectory, attributed, process

BOOT = "boot"
Event = tuple[Device, int, dict[tuple[int, int], float], set[int]]
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([GPU, CPU]),
        st.integers(0, 10**9),
        st.dictionaries(st.tuples(st.integers(1, 8), st.integers(1, 3)), st.floats(0.001, 4), max_size=6),
        st.sets(st.integers(1, 8), max_size=2),
    ),
    max_size=12,
)
"""A device, its energy, who worked (pid and birth), and which pids end."""


PLACES = (
    Place(),
    Place(Owner("slurm", "1", "0"), facts=JobFacts("resnet", account="a\udcff", gpus=("0",))),
    Place(Owner("kubernetes", "pod", "c0ffee"), "c0ffee", facts=JobFacts(team="llm", namespace="ml", pod="vllm-0")),
    Place(Owner("systemd", "vllm.service"), unit="vllm.service"),
)


class Directory(FakeDirectory):
    """Three users, one of them without a name; names hold what a kernel lets into them."""

    def describe(self, process: ProcessId) -> ProcessInfo:
        comm = {1: "python", 2: "a\udcff", 3: "\0\n"}[process.started_ticks]
        return ProcessInfo(process, comm, ("ada", "eve", "")[process.pid % 3], PLACES[process.pid % 4])


def new_ledger(directory: FakeDirectory, cap: int = 4, boot: str = BOOT, naming: str = "name") -> Ledger:
    return Ledger(directory, cap, retention_s=3.0, boot=boot, naming=naming, since_unix_s=5.0)


def live(ledger: Ledger, directory: FakeDirectory, events: Sequence[Event], since: int = 0) -> None:
    """Post `events`, one each second from `since` on."""
    for now_s, (device, energy_uj, work, ended) in enumerate(events, since):
        busy = {process(pid, born): seconds for (pid, born), seconds in work.items()}
        usage = Usage(now_s, now_s + 1, busy, samples=6, holders=frozenset(list(busy)[:2]))
        floor = Floor(energy_uj // 7, energy_uj // 9 if busy else 0)
        found = attributed(EnergyDelta(device, now_s, now_s + 1, energy_uj), usage, floor, dict(busy.items()))
        ledger.post(with_doubts(found), run_of)
        ledger.hold(found.delta, usage)
        directory.end(process(pid, born) for pid in ended for born in range(1, 4))
        ledger.fault(Fault(device.id, float(now_s), "gap", retry=True))
        ledger.retire(float(now_s))


def with_doubts(found: Attribution) -> Attribution:
    error = PartError(found.delta.energy_uj / 3, -0.5)
    return replace(found, errors=dict.fromkeys(found.active_uj, error), run_errors={"run": error})


def run_of(who: ProcessId) -> str:
    return "run" if who.pid % 2 else ""


def shot(ledger: Ledger, positions: Mapping[str, Position] = MappingProxyType({})) -> Snapshot:
    return ledger.draft(1000.0, "1", {}, positions=positions).snapshot()


def again(state: Snapshot, directory: FakeDirectory, now_s: float, cap: int = 4, naming: str = "name") -> Ledger:
    """The ledger of the next agent in the same boot."""
    ledger = new_ledger(directory, cap, naming=naming)
    ledger.restore(revived(state, now_s, BOOT, naming, directory))
    return ledger


def counters(snapshot: Snapshot) -> Counter[tuple[object, ...]]:
    """Every counter of a page, in microjoules or as a number."""
    found: Counter[tuple[object, ...]] = Counter()
    for state in snapshot.devices:
        for part in ("energy", "idle", "context", "active", "unattributed"):
            found[state.device.id, part] += getattr(state, f"{part}_uj")
    for row in snapshot.processes:
        who = series_key(row.info, row.run) if row.info else "other"
        found["process", who, row.device.id, "context"] += row.context_uj
        found["process", who, row.device.id, "active"] += row.active_uj
    for past in snapshot.folded:
        found["folded", past.device.id] += past.context_uj + past.active_uj
    for run in snapshot.runs:
        found["run", run.run, run.name, run.user, run.device.id] += run.energy_uj
    for user in snapshot.users:
        found["user", user.user, user.device.id] += user.energy_uj
    for job in snapshot.jobs:
        key = job.owner, job.user, job.device.id
        found["job", *key] += job.energy_uj
        found["held", *key] += round(job.held_s)
        found["unused", *key] += round(job.unused_s)
    for past in snapshot.folded_jobs:
        found["folded jobs", past.device.id] += past.context_uj + past.active_uj
    for (device, reason), count in snapshot.fault_counts.items():
        found["fault", device, reason] += count
    return found


def assert_no_fall(before: Snapshot, after: Snapshot) -> None:
    now = counters(after)
    fallen = {key: (value, now[key]) for key, value in counters(before).items() if key in now and now[key] < value}
    assert not fallen


def assert_conserved(snapshot: Snapshot) -> None:
    """The components are the device; series, `other` and what was folded are its work, and so are the users."""
    for state in snapshot.devices:
        device, work_uj = state.device, state.context_uj + state.active_uj
        assert state.energy_uj == state.idle_uj + work_uj + state.unattributed_uj
        rows: list[ProcessEnergy | FoldedEnergy] = [*snapshot.processes, *snapshot.folded]
        assert work_uj == sum(row.context_uj + row.active_uj for row in rows if row.device.id == device.id)
        assert work_uj == sum(row.energy_uj for row in snapshot.users if row.device.id == device.id)
        jobs_uj = sum(row.energy_uj for row in snapshot.jobs if row.device.id == device.id)
        assert work_uj == jobs_uj + sum(
            row.context_uj + row.active_uj for row in snapshot.folded_jobs if row.device.id == device.id
        )
