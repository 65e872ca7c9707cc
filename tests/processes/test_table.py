"""Pids become processes: reuse, tombstones, foreign PID namespaces, bounded memory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from aipower.model import Place, ProcessId, ProcessInfo
from aipower.processes.procfs import ProcFs, StatRow
from aipower.processes.table import (
    INITIAL_PID_NAMESPACE,
    LISTING_FROM,
    PLACE_AGAIN_S,
    PLACE_S,
    REMEMBER_MOST,
    REMEMBER_S,
    REREAD_S,
    SCAN_FRESH_S,
    TOMBSTONE_S,
    ProcessTable,
    user_name,
)
from aipower.seams import ProcessDirectory, SystemClock
from processes.proctree import BOOT, ProcTree, StillClock

FOREIGN = "pid:[4026532999]"


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path / "proc")


@pytest.fixture
def table(tree: ProcTree, clock: StillClock) -> ProcessTable:
    return ProcessTable(ProcFs(tree.root, ticks_per_s=100), clock, lambda uid: f"user{uid}")


def row(pid: int, started: int = 100, comm: str = "work") -> StatRow:
    return StatRow(pid, 1, comm, "S", 0, 0, 0, 0, 1, started, 0)


def test_it_is_a_process_directory(table: ProcessTable) -> None:
    directory: ProcessDirectory = table
    assert directory.resolve(4711) is None


def test_a_pid_resolves_to_its_process(tree: ProcTree, table: ProcessTable) -> None:
    tree.put(5, comm=b"train", started=321)
    process = table.resolve(5)
    assert process == ProcessId(BOOT, 5, 321)
    assert process
    assert table.alive(process)
    assert table.describe(process) == ProcessInfo(process, "train", f"user{os.getuid()}")


def test_a_name_changes_with_exec(tree: ProcTree, table: ProcessTable, clock: StillClock) -> None:
    tree.put(5, comm=b"sh")
    process = table.resolve(5)
    clock.sleep(REREAD_S)
    tree.put(5, comm=b"python")
    assert table.resolve(5) == process
    assert process
    assert table.describe(process).comm == "python"


def test_the_dead_resolve_for_as_long_as_the_drivers_samples_live(
    tree: ProcTree, table: ProcessTable, clock: StillClock
) -> None:
    tree.put(5, comm=b"train")
    process = table.resolve(5)
    assert process
    tree.drop(5)
    assert table.resolve(5) == process
    assert not table.alive(process)
    clock.sleep(TOMBSTONE_S - 0.1)
    assert table.resolve(5) == process
    assert table.describe(process).comm == "train"
    clock.sleep(0.2)
    assert table.resolve(5) is None
    assert table.describe(process).comm == "train"


def test_who_was_never_met_is_described_by_its_id_only(table: ProcessTable) -> None:
    stranger = ProcessId(BOOT, 9, 1)
    assert table.describe(stranger) == ProcessInfo(stranger, "", "")
    assert not table.alive(stranger)


def test_a_reused_pid_is_another_process(tree: ProcTree, table: ProcessTable) -> None:
    tree.put(5, comm=b"old", started=100)
    old = table.resolve(5)
    tree.drop(5)
    tree.put(5, comm=b"new", started=900)
    new = table.resolve(5)
    assert old
    assert new
    assert old != new
    assert not table.alive(old)
    assert table.alive(new)
    assert (table.describe(old).comm, table.describe(new).comm) == ("old", "new")


def test_a_sample_older_than_the_live_process_is_its_predecessors(
    tree: ProcTree, table: ProcessTable, clock: StillClock
) -> None:
    now_unix_s = clock.unix_s()
    tree.clocks(uptime_s=1000.0)
    tree.put(5, started=50_000)
    old = table.resolve(5)
    tree.drop(5)
    tree.put(5, started=99_700)  # started 3 s ago
    new = table.resolve(5)
    assert table.resolve_at(5, now_unix_s - 1) == new
    assert table.resolve_at(5, now_unix_s - 3) == new
    assert table.resolve_at(5, now_unix_s - 4) == old
    assert table.resolve_at(5, now_unix_s - 501) is None


def test_an_old_sample_without_a_tombstone_is_nobodys(tree: ProcTree, table: ProcessTable, clock: StillClock) -> None:
    tree.put(5, started=99_700)
    assert table.resolve_at(5, clock.unix_s() - 10) is None


def test_without_a_clock_for_start_times_the_live_process_has_the_benefit(
    tree: ProcTree, table: ProcessTable, clock: StillClock
) -> None:
    tree.clocks(uptime_s=3.0)  # the uptime of a container, not of the machine
    tree.put(5, started=99_700)
    assert table.resolve_at(5, clock.unix_s() - 10) == table.resolve(5)


def test_a_zombie_is_not_alive_but_a_process_without_its_leader_is(tree: ProcTree, table: ProcessTable) -> None:
    tree.put(5, state="Z")
    tree.put(6, state="Z", threads=4)
    zombie, headless = table.resolve(5), table.resolve(6)
    assert zombie
    assert headless
    assert not table.alive(zombie)
    assert table.alive(headless)


def test_a_row_is_believed_for_a_while_and_only_of_the_same_folder(
    tree: ProcTree, table: ProcessTable, clock: StillClock
) -> None:
    tree.put(5, comm=b"train")
    process = table.resolve(5)
    tree.write("5/stat", "garbage that nobody looks at")
    assert table.resolve(5) == process
    tree.drop(5)
    assert table.resolve_at(5, clock.unix_s()) == process, "its tombstone"
    tree.put(5, started=200)
    assert table.resolve(5) == ProcessId(BOOT, 5, 200)
    clock.sleep(REREAD_S)
    tree.write("5/stat", "garbage that is looked at now")
    assert table.resolve(5) == ProcessId(BOOT, 5, 200), "its tombstone"
    clock.sleep(TOMBSTONE_S + 1)
    assert table.resolve(5) is None


def test_a_fresh_scan_says_who_lives_without_a_read(table: ProcessTable, clock: StillClock) -> None:
    table.observe([row(5), replace(row(6), state="Z")])
    assert table.alive(ProcessId(BOOT, 5, 100))
    assert not table.alive(ProcessId(BOOT, 6, 100))
    assert not table.alive(ProcessId(BOOT, 5, 99))
    clock.sleep(SCAN_FRESH_S)
    assert not table.alive(ProcessId(BOOT, 5, 100)), "there is no such process in the made /proc"


def test_a_step_of_the_wall_clock_moves_start_times_with_it(
    tree: ProcTree, table: ProcessTable, clock: StillClock
) -> None:
    tree.clocks(uptime_s=1000.0)
    tree.put(5, started=99_700)  # started 3 s ago
    process = table.resolve(5)
    assert table.resolve_at(5, clock.unix_s() - 2) == process
    clock.unix_offset_s += 3600
    assert table.resolve_at(5, clock.unix_s() - 2) == process
    assert table.resolve_at(5, clock.unix_s() - 4) is None


def test_what_scanners_teach_needs_no_second_read(tree: ProcTree, table: ProcessTable) -> None:
    process = table.learn(row(77, comm="brief"))
    assert not (tree.root / "77").exists()
    assert table.resolve(77) == process
    assert table.describe(process).comm == "brief"


def test_a_full_scan_buries_whoever_is_not_in_it(table: ProcessTable, clock: StillClock) -> None:
    table.observe([row(5), row(6)])
    table.observe([row(6)])
    assert table.resolve(5) == ProcessId(BOOT, 5, 100)
    clock.sleep(TOMBSTONE_S + 1)
    assert table.resolve(5) is None


def test_five_thousand_processes_a_minute_do_not_leak(table: ProcessTable, clock: StillClock) -> None:
    most = 0
    for second in range(300):
        for i in range(84):
            table.learn(row(100 + i, started=second))
        clock.sleep(1.0)
        most = max(most, len(list(table.known())))
    assert most <= 84 * (REMEMBER_S + 2 * TOMBSTONE_S)


def test_a_burst_is_bounded_too(table: ProcessTable, clock: StillClock) -> None:
    table.observe([row(pid) for pid in range(1, REMEMBER_MOST + 2000)])
    table.observe([])
    clock.sleep(1.0)
    assert len(list(table.known())) == REMEMBER_MOST


def test_those_that_no_scanner_watches_are_swept(tree: ProcTree, table: ProcessTable, clock: StillClock) -> None:
    tree.put(5)
    tree.put(6)
    table.resolve(5)
    table.resolve(6)
    tree.drop(5)
    for _ in range(12):
        clock.sleep(10.0)
        table.resolve(6)
    assert list(table.known()) == [ProcessId(BOOT, 6, 100)]


class Counting(ProcFs):
    """Notes whose row is read, and how often all are listed."""

    __slots__ = ("listed", "read")

    def __init__(self, root: Path) -> None:
        super().__init__(root, ticks_per_s=100)
        self.read: list[int] = []
        self.listed = 0

    def stat(self, pid: int) -> StatRow | None:
        self.read.append(pid)
        return super().stat(pid)

    def listing(self) -> dict[int, int]:
        self.listed += 1
        return super().listing()


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("count", [3, LISTING_FROM + 1])
def test_sweeping_reads_a_row_once_at_most_and_finds_who_has_left(
    tree: ProcTree, clock: StillClock, count: int, *, told: bool
) -> None:
    procfs = Counting(tree.root)
    table = ProcessTable(procfs, clock, lambda uid: f"user{uid}")
    everyone = list(range(5, 5 + count))
    for pid in everyone:
        tree.put(pid, started=100)
    table.observe([row(pid) for pid in everyone], ProcFs(tree.root).listing() if told else {})
    table.resolve(6)
    for met in ([6], [] if told else [pid for pid in everyone if pid != 6], [], []):
        assert procfs.read == met, "once it is known which folder a row is of, the folder says all"
        procfs.read.clear()
        clock.sleep(TOMBSTONE_S)
        table.learn(row(4))
        assert {process.pid for process in table.known()} == {4, *everyone}
    assert procfs.listed == (4 if count >= LISTING_FROM else 0)
    tree.drop(5)
    clock.sleep(TOMBSTONE_S)
    table.learn(row(4))
    assert procfs.read == []
    assert table.resolve(5) == ProcessId(BOOT, 5, 100), "its tombstone"
    clock.sleep(TOMBSTONE_S + 1)
    assert table.resolve(5) is None


def test_a_user_is_looked_up_once(tree: ProcTree, clock: StillClock) -> None:
    asked: list[int] = []

    def name(uid: int) -> str:
        asked.append(uid)
        return "someone"

    table = ProcessTable(ProcFs(tree.root), clock, name)
    for pid in (5, 6, 7):
        tree.put(pid)
        process = table.resolve(pid)
        assert process
        table.describe(process)
    assert asked == [os.getuid()]


def test_a_user_without_a_name_is_a_number() -> None:
    assert user_name(0) == "root"
    assert user_name(3_999_999_999) == "3999999999"


class TestGpuPids:
    """A driver's pid may be the host's while ours are a container's."""

    def make(self, tree: ProcTree, tmp_path: Path, namespace: str, *, gpu: bool = True) -> ProcessTable:
        dev = tmp_path / "dev"
        dev.mkdir()
        if gpu:
            (dev / "nvidiactl").touch()
        tree.namespace(namespace)
        tree.put(5)
        tree.put(6)
        tree.open_file(5, 0, "/dev/null")
        tree.open_file(6, 0, "/dev/null")
        tree.open_file(6, 3, f"{dev}/nvidia0")
        return ProcessTable(ProcFs(tree.root), StillClock(), dev=dev)

    def test_in_the_initial_namespace_everyone_is_trusted(self, tree: ProcTree, tmp_path: Path) -> None:
        table = self.make(tree, tmp_path, INITIAL_PID_NAMESPACE)
        assert table.trusts(5)
        assert table.resolve_gpus([(5, None)])[0] == table.resolve(5)
        assert not table.trusts(999)
        assert table.resolve_gpus([(999, None)])[0] is None

    def test_elsewhere_only_who_holds_a_gpu_is(self, tree: ProcTree, tmp_path: Path) -> None:
        table = self.make(tree, tmp_path, FOREIGN)
        assert not table.trusts(5)
        assert table.resolve_gpus([(5, None)])[0] is None
        assert table.resolve(5) is not None
        assert table.trusts(6)
        assert table.resolve_gpus([(6, None)])[0] == table.resolve(6) is not None
        assert not table.trusts(999)

    def test_without_a_gpu_there_is_nothing_to_doubt(self, tree: ProcTree, tmp_path: Path) -> None:
        table = self.make(tree, tmp_path, FOREIGN, gpu=False)
        assert table.trusts(5)

    def test_trust_outlives_the_open_file_and_the_process(self, tree: ProcTree, tmp_path: Path) -> None:
        table = self.make(tree, tmp_path, FOREIGN)
        process = table.resolve_gpus([(6, None)])[0]
        (tree.root / "6/fd/3").unlink()
        assert table.resolve_gpus([(6, None)])[0] == process is not None
        tree.drop(6)
        assert table.resolve_gpus([(6, None)])[0] == process
        assert table.resolve_gpus([(5, None)])[0] is None
        tree.drop(5)
        assert table.resolve_gpus([(5, None)])[0] is None


def test_a_real_child_lives_ends_and_stays_known() -> None:
    table = ProcessTable(ProcFs(), SystemClock())
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        process = table.resolve(child.pid)
        assert process
        assert table.alive(process)
        assert table.describe(process).user == user_name(os.geteuid())
        child.communicate(b"")
    assert not table.alive(process)
    assert table.resolve(child.pid) == process


def test_where_a_process_belongs_is_looked_up_again_soon_and_then_rarely(tree: ProcTree, clock: StillClock) -> None:
    places, asked = iter("abcdef"), list[int]()

    def place_of(pid: int) -> Place:
        asked.append(pid)
        return Place(unit=next(places))

    table = ProcessTable(ProcFs(tree.root, ticks_per_s=100), clock, str, place_of=place_of)
    tree.put(5, comm=b"train", started=321)
    process = table.resolve(5)
    assert process
    seen = []
    for step_s in (0.0, PLACE_AGAIN_S / 2, PLACE_AGAIN_S, PLACE_S / 2, PLACE_S):
        clock.now_s += step_s
        seen.append(table.describe(process).place.unit)
    assert seen == ["a", "a", "b", "b", "c"]
    assert asked == [5, 5, 5]


def test_who_has_ended_stays_where_it_was(tree: ProcTree, clock: StillClock) -> None:
    places = iter((Place(unit="a"), Place()))
    table = ProcessTable(ProcFs(tree.root, ticks_per_s=100), clock, str, place_of=lambda _: next(places))
    tree.put(5, comm=b"train", started=321)
    process = table.resolve(5)
    assert process
    assert table.describe(process).place.unit == "a"
    clock.now_s += PLACE_AGAIN_S
    assert table.describe(process).place.unit == "a", "it was leaving while it was looked at"
    table.observe([])
    clock.now_s += PLACE_S
    assert table.describe(process).place.unit == "a"
