"""Accounts of jobs: exact, bounded, only upwards, and who held what."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.books.accounts import PartAccount
from aipower.books.halfwidth import HalfWidth
from aipower.books.jobbook import MOST_USERS, NONE, OTHER, JobAccount, JobBook, joined
from aipower.books.ledger import Ledger
from aipower.model import (
    Attribution,
    Calibration,
    Device,
    DeviceFacts,
    EnergyDelta,
    JobEnergy,
    JobFacts,
    Owner,
    PartError,
    Place,
    ProcessId,
    ProcessInfo,
    Usage,
)
from fakes import CPU, GPU, FakeDirectory, process

SURE = HalfWidth(Calibration())
DEVICES = {device.id: device for device in (GPU, CPU)}
JOBS = (Owner(), Owner("slurm", "1", "0"), Owner("slurm", "1", "batch"), Owner("systemd", "vllm.service"))


def worker(pid: int, owner: Owner = JOBS[1], user: str = "ada", facts: JobFacts | None = None) -> ProcessInfo:
    return ProcessInfo(process(pid), "work", user, Place(owner, facts=facts or JobFacts()))


def use(book: JobBook, info: ProcessInfo, energy_uj: int, device: Device = GPU) -> None:
    book.part_of(info, device.id).count(PartAccount(0, energy_uj))


def rows(book: JobBook) -> dict[tuple[Owner, str, str], JobEnergy]:
    made = [draft.row() for draft in book.rows(lambda device: (DEVICES[device], SURE))]
    found = {(row.owner, row.user, row.device.id): row for row in made}
    book.published()
    return found


def dead_to_alive(dead: set[ProcessId]) -> Callable[[ProcessId], bool]:
    return lambda one: one not in dead


def folded_uj(book: JobBook) -> int:
    return sum(row.context_uj + row.active_uj for row in book.folded.rows(DEVICES))


EVENTS = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.sampled_from((*JOBS, *(Owner("slurm", str(job), "0") for job in range(2, 8)))),
        st.sampled_from(("ada", "eve", "")),
        st.sampled_from((GPU, CPU)),
        st.integers(0, 10**9),
        st.sets(st.integers(1, 9), max_size=3),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(EVENTS, st.integers(1, 4))
def test_no_energy_is_lost_and_no_counter_falls_however_jobs_come_and_go(
    events: list[tuple[int, Owner, str, Device, int, set[int]]], most: int
) -> None:
    book, dead, spent_uj = JobBook(most), set[ProcessId](), 0
    before: Mapping[tuple[Owner, str, str], JobEnergy] = {}
    folded_before_uj = 0
    for number, (pid, owner, user, device, energy_uj, ending) in enumerate(events):
        use(book, worker(pid, owner, user), energy_uj, device)
        spent_uj += energy_uj
        dead |= {process(one) for one in ending}
        book.retire(float(number), 2.0, dead_to_alive(dead))
        after = rows(book)
        assert sum(row.energy_uj for row in after.values()) + folded_uj(book) == spent_uj
        assert len({(o, u) for o, u, _ in after if o.job}) <= most
        assert all(after[key].energy_uj >= row.energy_uj for key, row in before.items() if key in after)
        assert folded_uj(book) >= folded_before_uj
        assert all(key in after for key in before if not key[0].job), "what is in no job stays"
        before, folded_before_uj = after, folded_uj(book)


def test_a_job_leaves_the_retention_after_its_last_process_and_is_folded() -> None:
    book = JobBook(10)
    use(book, worker(1), 5)
    use(book, worker(2), 7)
    for now_s, ended in ((1.0, {1}), (2.0, {1, 2})):
        book.retire(now_s, 10.0, dead_to_alive({process(pid) for pid in ended}))
    assert next(iter(rows(book).values())).ended_s == 2.0
    book.retire(11.9, 10.0, lambda _: False)
    assert rows(book)
    book.retire(12.0, 10.0, lambda _: False)
    assert not rows(book)
    assert folded_uj(book) == 12


def test_a_unit_of_systemd_waits_for_its_next_start_while_there_is_room() -> None:
    book = JobBook(1)
    use(book, worker(1, JOBS[3]), 5)
    for now_s in (1.0, 1000.0):
        book.retire(now_s, 10.0, lambda _: False)
    use(book, worker(2, JOBS[3]), 6)
    assert rows(book)[JOBS[3], "ada", GPU.id].energy_uj == 11
    assert rows(book)[JOBS[3], "ada", GPU.id].ended_s is None
    book.retire(1001.0, 10.0, lambda _: False)
    use(book, worker(3), 1)
    assert list(rows(book)) == [(JOBS[1], "ada", GPU.id)]
    assert folded_uj(book) == 11


def test_a_job_without_room_counts_for_other_by_user() -> None:
    book = JobBook(1)
    use(book, worker(1), 5)
    use(book, worker(2, Owner("slurm", "2", "0"), "eve"), 7)
    assert rows(book)[OTHER, "eve", GPU.id].energy_uj == 7


def test_the_account_that_all_jobs_without_one_share_remembers_none_of_their_processes() -> None:
    """It never ends, so nobody would ever look which of them live."""
    shared, own = JobAccount(shared=True), JobAccount()
    for pid in range(100):
        shared.know(worker(pid, facts=JobFacts("train")))
        own.know(worker(pid))
    assert (len(shared.processes), len(own.processes)) == (0, 100)
    assert shared.facts.name == "train"


def test_too_many_users_share_one_account() -> None:
    book = JobBook(1)
    for uid in range(MOST_USERS + 5):
        use(book, worker(uid, NONE, str(uid)), 1)
    assert len(rows(book)) == MOST_USERS + 1
    assert rows(book)[NONE, "", GPU.id].energy_uj == 5


def test_a_gpu_that_a_job_was_given_is_held_without_a_context() -> None:
    book = JobBook(10)
    use(book, worker(1, facts=JobFacts(gpus=("0",))), 5, CPU)
    book.hold(GPU, 10.0, {})
    book.hold(Device("other", "gpu", "", "1"), 10.0, {})
    row = rows(book)[JOBS[1], "ada", GPU.id]
    assert (row.held_s, row.unused_s, row.energy_uj) == (10.0, 10.0, 0)
    assert len(rows(book)) == 2


def test_steps_of_one_job_hold_a_gpu_once_and_it_is_used_if_one_of_them_uses_it() -> None:
    book = JobBook(10)
    facts = JobFacts(gpus=(GPU.id,))
    for owner in JOBS[1:3]:
        use(book, worker(1, owner, facts=facts), 5)
    book.hold(GPU, 10.0, {(JOBS[2], "ada"): True})
    book.hold(GPU, 5.0, {(JOBS[2], "ada"): False})
    book.hold(GPU, 1.0, {})
    found = rows(book).values()
    assert sum(row.held_s for row in found) == 16.0
    assert sum(row.unused_s for row in found) == 6.0


def test_a_job_that_has_ended_holds_nothing_it_was_given() -> None:
    book = JobBook(10)
    use(book, worker(1, facts=JobFacts(gpus=("0",))), 5)
    book.retire(1.0, 10.0, lambda _: False)
    book.hold(GPU, 10.0, {})
    assert sum(row.held_s for row in rows(book).values()) == 0.0


def test_the_first_words_of_a_job_stand() -> None:
    first, then = JobFacts("resnet", account="a"), JobFacts("bert", "vision", "b", gpus=("0",))
    assert joined(first, then) == JobFacts("resnet", "vision", "a", gpus=("0",))


@settings(deadline=None)
@given(EVENTS)
def test_a_book_goes_on_where_another_ended(
    events: list[tuple[int, Owner, str, Device, int, set[int]]],
) -> None:
    book = JobBook(4)
    for pid, owner, user, device, energy_uj, _ in events:
        use(book, worker(pid, owner, user), energy_uj, device)
    book.doubt((JOBS[1], "ada"), GPU.id, PartError(4.0, 1.0))
    before = rows(book)
    successor = JobBook(4)
    successor.restore(before.values(), ())
    assert {key: (row.energy_uj, row.error) for key, row in rows(successor).items()} == {
        key: (row.energy_uj, row.error) for key, row in before.items()
    }


class Directory(FakeDirectory):
    """Odd pids work in a job."""

    def describe(self, process: ProcessId) -> ProcessInfo:
        return worker(process.pid) if process.pid % 2 else worker(process.pid, NONE)


def test_the_ledger_knows_who_holds_a_gpu() -> None:
    ledger = Ledger(Directory())
    ledger.open_account(GPU, DeviceFacts())
    assert ledger.job_of(process(1)) == (JOBS[1], "ada")
    assert ledger.job_of(process(2)) is None
    holders = frozenset({process(1), process(2)})
    window = EnergyDelta(GPU, 0.0, 2.0, 10)
    ledger.post(Attribution(window, 0, {}, {process(1): 10}, 0))
    ledger.hold(window, Usage(0.0, 2.0, {process(1): 0.5}, holders=holders))
    ledger.hold(window, Usage(0.0, 2.0, {process(2): 0.5}, holders=holders))
    for usage in (
        Usage(0.0, 2.0, holders=holders, sampled=False),
        Usage(0.0, 2.0, holders=holders, unknown_busy_s=0.1),
    ):
        ledger.hold(window, usage)
    ledger.hold(EnergyDelta(CPU, 0.0, 2.0, 10), Usage(0.0, 2.0, {process(1): 0.5}))
    (row,) = ledger.draft(0.0, "", {}).snapshot().jobs
    assert (row.held_s, row.unused_s) == (8.0, 2.0)


class Moving(FakeDirectory):
    """All processes work where `owner` says."""

    owner = Owner()

    def describe(self, process: ProcessId) -> ProcessInfo:
        return worker(process.pid, self.owner)


def test_work_follows_a_process_that_moves_and_a_job_that_ends() -> None:
    directory = Moving()
    ledger = Ledger(directory, retention_s=3.0)

    def live(second: int) -> dict[tuple[str, bool], int]:
        for device in (GPU, CPU):
            window = EnergyDelta(device, second - 1.0, float(second), 10)
            ledger.post(Attribution(window, 0, {}, {process(1): 10}, 0))
        jobs = [row for row in ledger.draft(0.0, "", {}).snapshot().jobs if row.device == CPU]
        return {(row.owner.job, row.ended_s is None): row.energy_uj for row in jobs}

    assert live(1) == {("", True): 10}
    directory.owner = JOBS[1]
    assert live(3) == {("", True): 10, ("1", True): 10}, "a new process is looked at again soon"
    directory.owner = JOBS[3]
    for second in range(4, 7):
        live(second)
    assert live(7) == {("", True): 10, ("1", True): 40, ("vllm.service", True): 10}
    directory.end([process(1)])
    for second in (8, 9, 10):
        ledger.retire(float(second))
        assert live(second)["vllm.service", True] == 10 * (second - 6), "late work shows that the job goes on"
