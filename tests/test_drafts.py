"""Snapshots that are made late: equal to those made at once, whole, and the same object for all who look."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.attribution.baseline import Floor
from aipower.books.accounts import PartAccount
from aipower.books.drafts import Draft, PartDraft
from aipower.books.halfwidth import HalfWidth
from aipower.books.ledger import Ledger
from aipower.books.uncertainty import part_error, scale_of
from aipower.model import (
    Calibration,
    Device,
    DeviceFacts,
    EnergyDelta,
    FoldedEnergy,
    Owner,
    PartError,
    Place,
    ProcessEnergy,
    ProcessId,
    ProcessInfo,
    Snapshot,
    Unavailable,
    Usage,
)
from fakes import CPU, GPU, attributed
from fakes import process as known

WINDOW = st.tuples(
    st.sampled_from([GPU, CPU]),
    st.integers(0, 10**9),
    st.dictionaries(st.integers(1, 6), st.floats(0.001, 4), max_size=4),
    st.sets(st.integers(1, 6), max_size=2),
    st.booleans(),
)
"""A device, its energy, who worked, who is dead from then on, and whether the scale of its sensor is told anew."""


class Crowd:
    """Six processes of three jobs and two users."""

    def __init__(self) -> None:
        self.dead: set[int] = set()

    def describe(self, process: ProcessId) -> ProcessInfo:
        owner = Owner("slurm", str(process.pid % 3), "0") if process.pid % 3 else Owner()
        return ProcessInfo(process, f"p{process.pid}", "ada" if process.pid % 2 else "bob", Place(owner))

    def resolve(self, pid: int) -> ProcessId | None:
        return known(pid)

    def alive(self, process: ProcessId) -> bool:
        return process.pid not in self.dead


class Books:
    """A ledger and who is in it."""

    def __init__(self) -> None:
        self.crowd = Crowd()
        self.ledger = Ledger(self.crowd, max_processes=4, retention_s=2.0, max_jobs=2)

    def live(
        self, number: int, device: Device, energy_uj: int, busy: dict[int, float], dead: set[int], *, told: bool
    ) -> Draft:
        """A second in which a window is posted, and the draft after it."""
        busy_s = {known(pid): span_s for pid, span_s in busy.items()}
        delta = EnergyDelta(device, float(number), number + 1.0, energy_uj)
        usage = Usage(delta.start_s, delta.end_s, busy_s, holders=frozenset(busy_s), samples=6)
        if told:
            self.ledger.open_account(device, DeviceFacts(), Calibration(gain_se=0.01 * number, source="meter"))
        self.ledger.hold(delta, usage)
        errors = {who: PartError(3.0 * number, 5.0) for who in busy_s}
        self.ledger.post(replace(attributed(delta, usage, Floor(energy_uj // 7), dict(busy_s.items())), errors=errors))
        self.crowd.dead = dead
        self.ledger.retire(number + 1.0)
        return self.ledger.draft(float(number), "1", {device.id: 5.0})


def lived(windows: Sequence[tuple[Device, int, dict[int, float], set[int], bool]], *, at_once: bool) -> list[Snapshot]:
    books, drafts = Books(), []
    for number, (device, energy_uj, busy, dead, told) in enumerate(windows):
        drafts.append(books.live(number, device, energy_uj, busy, dead, told=told))
        if at_once:
            drafts[-1].snapshot()
    return [draft.snapshot() for draft in drafts]


@settings(max_examples=40)
@given(st.lists(WINDOW, max_size=14))
def test_a_snapshot_that_is_made_late_is_the_one_of_its_time(
    windows: list[tuple[Device, int, dict[int, float], set[int], bool]],
) -> None:
    assert lived(windows, at_once=False) == lived(windows, at_once=True)


@settings(max_examples=40)
@given(st.lists(WINDOW, min_size=1, max_size=14))
def test_the_parts_of_a_late_snapshot_sum_to_the_whole(
    windows: list[tuple[Device, int, dict[int, float], set[int], bool]],
) -> None:
    for snapshot in lived(windows, at_once=False):
        for state in snapshot.devices:
            rows: list[ProcessEnergy | FoldedEnergy] = [*snapshot.processes, *snapshot.folded]
            used_uj = sum(row.context_uj + row.active_uj for row in rows if row.device == state.device)
            assert used_uj == state.context_uj + state.active_uj
            jobs_uj = sum(row.energy_uj for row in snapshot.jobs if row.device == state.device)
            folded = [row for row in snapshot.folded_jobs if row.device == state.device]
            assert jobs_uj + sum(row.context_uj + row.active_uj for row in folded) == used_uj
            assert sum(row.energy_uj for row in snapshot.users if row.device == state.device) == used_uj


@given(
    st.integers(0, 10**13),
    st.floats(0, 1e12),
    st.floats(-1e9, 1e9),
    st.floats(0.5, 2),
    st.floats(0, 0.2),
    st.floats(-20, 20),
)
def test_the_error_of_a_draft_is_that_of_its_part(
    energy_uj: int, variance_uj2: float, systematic_uj: float, gain: float, gain_se: float, offset_w: float
) -> None:
    scale = Calibration(gain, offset_w, gain_se, 3.0, 0.001, "meter")
    draft = PartDraft(GPU, HalfWidth(scale), energy_uj // 3, energy_uj - energy_uj // 3, variance_uj2, systematic_uj)
    part = PartAccount(energy_uj // 3, energy_uj - energy_uj // 3, variance_uj2, systematic_uj)
    assert draft.half_width_uj == part_error(part, scale_of(GPU, scale)).absolute_95_uj


def test_all_who_look_see_one_object() -> None:
    draft = Books().live(1, GPU, 1000, {1: 1.0, 2: 2.0}, set(), told=False)
    ready, seen = threading.Barrier(8), []

    def look() -> None:
        ready.wait()
        seen.append(draft.snapshot())

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert all(one is seen[0] for one in seen)


def test_what_others_have_to_say_is_in_the_snapshot() -> None:
    missing = Unavailable("CPU (RAPL)", "cpu", "not readable", "run as root")
    draft = Books().live(1, GPU, 1000, {1: 1.0}, set(), told=False)
    assert draft.beside([missing], ()).snapshot() == replace(draft.snapshot(), unavailable=(missing,))
    assert draft.beside([missing], ()).number == draft.number == draft.snapshot().number


def test_rows_that_do_not_change_are_made_once() -> None:
    books = Books()
    first = books.live(1, GPU, 1000, {1: 1.0, 2: 1.0}, set(), told=False).snapshot()
    second = books.live(2, GPU, 1000, {2: 1.0}, set(), told=False).snapshot()
    one, two = ({row.info.id.pid: row for row in shot.processes if row.info} for shot in (first, second))
    assert one[1] is two[1]
    assert one[2] is not two[2]
