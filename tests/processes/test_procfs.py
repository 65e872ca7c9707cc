"""Rows of /proc: any name, any garbage, processes that leave while they are read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.processes.procfs import ProcFs, StatRow, parse_stat
from processes.proctree import BOOT, ProcTree, stat_bytes


@pytest.fixture
def tree(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path)


@pytest.fixture
def procfs(tree: ProcTree) -> ProcFs:
    return ProcFs(tree.root, ticks_per_s=100)


def test_a_row_has_its_fields_in_their_places() -> None:
    head = "S 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24"
    assert parse_stat(f"2 (bash) {head} {' '.join(str(n) for n in range(25, 53))}\n".encode()) == StatRow(
        pid=2,
        ppid=3,
        comm="bash",
        state="S",
        utime=13,
        stime=14,
        cutime=15,
        cstime=16,
        threads=19,
        started_ticks=21,
        processor=38,
    )


@pytest.mark.parametrize(
    "comm",
    [b"a b", b"(sd-pam)", b") R 1 2 3", b"((", b"", b"line\nbreak", b"tab\there", b"\xff\xfe", "é漢".encode()],
)
def test_a_name_may_hold_anything(comm: bytes) -> None:
    row = parse_stat(stat_bytes(42, 7, comm, own=5))
    assert row is not None
    assert (row.pid, row.ppid, row.utime) == (42, 7, 5)
    assert row.comm == comm.decode(errors="replace")


@given(st.binary(max_size=64), st.integers(1, 2**22), st.integers(0, 2**22), st.integers(0, 2**63))
def test_every_name_and_number_comes_back(comm: bytes, pid: int, ppid: int, ticks: int) -> None:
    row = parse_stat(stat_bytes(pid, ppid, comm, own=ticks, reaped=ticks, started=ticks))
    assert row is not None
    assert (row.pid, row.ppid, row.own_ticks, row.reaped_ticks) == (pid, ppid, ticks, ticks)
    assert row.started_ticks == ticks


@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    assert parse_stat(data) is None or isinstance(parse_stat(data), StatRow)


@given(st.integers(0, 300), st.binary(max_size=3))
def test_a_torn_row_is_a_row_or_none(cut: int, rubbish: bytes) -> None:
    whole = stat_bytes(42, 7, own=5)
    row = parse_stat(whole[:cut] + rubbish)
    assert row is None or row.pid == 42


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"42 work S 1",
        stat_bytes(42, state="X"),
        stat_bytes(42, state="x"),
        stat_bytes(42, threads=0),
        stat_bytes(42, own=-1),
        stat_bytes(42).replace(b"42 (", b"none ("),
        b")(" + stat_bytes(42)[9:],
    ],
)
def test_garbage_and_rows_under_removal_are_none(data: bytes) -> None:
    assert parse_stat(data) is None


def test_a_zombie_has_ended_but_a_leader_without_its_threads_has_not() -> None:
    zombie, leader = parse_stat(stat_bytes(1, state="Z")), parse_stat(stat_bytes(1, state="Z", threads=3))
    assert zombie
    assert zombie.ended
    assert leader
    assert not leader.ended


def test_pids_are_numbers_only_and_ascend(tree: ProcTree, procfs: ProcFs) -> None:
    for pid in (20, 3, 100):
        tree.put(pid)
    tree.write("meminfo", "")
    assert procfs.pids() == [3, 20, 100]


def test_what_has_left_is_none_or_empty(tree: ProcTree, procfs: ProcFs) -> None:
    tree.put(5)
    tree.drop(5)
    assert procfs.stat(5) is None
    assert procfs.uid(5) is None
    assert procfs.cmdline(5) == ""
    assert list(procfs.open_files(5)) == []
    assert procfs.children(5) == []


def test_a_listing_that_fails_is_an_error_and_not_an_empty_machine(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ProcFs(tmp_path / "nowhere").pids()


def test_children_are_asked_from_every_thread(tree: ProcTree, procfs: ProcFs) -> None:
    tree.put(5)
    tree.write("5/task/5/children", "9 7 ")
    tree.write("5/task/6/children", "8 ")
    assert procfs.children(5) == [7, 8, 9]


def test_children_are_found_by_their_parent_where_the_kernel_has_no_such_file(tree: ProcTree, procfs: ProcFs) -> None:
    tree.put(5)
    tree.write("5/task/5/comm", "work")
    tree.put(7, 5)
    tree.put(8, 7)
    tree.put(9, 5)
    assert procfs.children(5) == [7, 9]


def test_a_command_line_is_joined_and_cut(tree: ProcTree, procfs: ProcFs) -> None:
    tree.put(5)
    tree.write("5/cmdline", b"python\0train.py\0--name=\xff\0")
    assert procfs.cmdline(5) == "python train.py --name=\ufffd"
    assert procfs.cmdline(5, limit=6) == "python"


def test_boot_and_clocks(tree: ProcTree, procfs: ProcFs) -> None:
    tree.clocks(uptime_s=12.34)
    assert procfs.boot_id() == BOOT
    assert procfs.uptime_ticks() == 1234
    assert procfs.btime == 1700000000


def test_a_proc_of_another_namespace_does_not_know_us(tree: ProcTree, procfs: ProcFs) -> None:
    """The kernel gives no target to a link of which the reader has no pid there."""
    assert procfs.own_pid() is None
    (tree.root / "self").symlink_to("77")
    assert procfs.own_pid() == 77


@pytest.mark.parametrize("text", ["", "garbage", "inf 1", "nan 1"])
def test_an_uptime_that_cannot_be_read_is_zero(tree: ProcTree, procfs: ProcFs, text: str) -> None:
    tree.write("uptime", text)
    assert procfs.uptime_ticks() == 0


def test_busy_leaves_out_waiting_and_stolen_and_counts_a_guest_once(tree: ProcTree, procfs: ProcFs) -> None:
    tree.write("stat", "cpu  100 20 30 4000 500 6 7 800 90 10\ncpu0 1 1\ncpu1 1 1\ncpu2 1 1\nintr 0\n")
    totals = procfs.cpu_totals()
    assert totals.busy_s == pytest.approx(1.63)
    assert totals.total_s == pytest.approx(54.63)
    assert totals.cpus == 3


@pytest.mark.parametrize("text", ["", "cpu 1 2 3", "cpu a b c d e f g h", "intr 5"])
def test_cpu_times_that_are_garbage_are_an_error(tree: ProcTree, procfs: ProcFs, text: str) -> None:
    tree.write("stat", text)
    with pytest.raises(ValueError):
        procfs.cpu_totals()
    with pytest.raises(ValueError):
        _ = procfs.btime


def test_the_real_proc_knows_us() -> None:
    procfs = ProcFs()
    row = procfs.stat(os.getpid())
    assert row
    assert row.ppid == os.getppid()
    assert os.getpid() in procfs.pids()
    assert procfs.own_pid() == os.getpid()
    assert procfs.uid(os.getpid()) == os.geteuid()
    assert 0 < row.started_ticks <= procfs.uptime_ticks()
    assert abs(procfs.btime + procfs.uptime_ticks() / procfs.ticks_per_s - time.time()) < 5
    totals = procfs.cpu_totals()
    assert totals.cpus == os.sysconf("SC_NPROCESSORS_ONLN")
    assert 0 < totals.busy_s < totals.total_s
    assert procfs.pid_namespace().startswith("pid:[")
    assert len(procfs.boot_id()) == 36


def test_a_real_process_that_renamed_itself_is_read_and_found_as_our_child() -> None:
    rename = "open('/proc/self/comm','w').write('a) R (b'); print(flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        assert child.stdout
        child.stdout.readline()
        row = ProcFs().stat(child.pid)
        assert row
        assert (row.comm, row.ppid) == ("a) R (b", os.getpid())
        assert child.pid in ProcFs().children(os.getpid())
        assert rename[:20] in ProcFs().cmdline(child.pid)
        child.communicate(b"\n")
    assert ProcFs().stat(child.pid) is None


def test_the_listing_names_all_pids_and_tells_a_reused_one(tmp_path: Path) -> None:
    tree = ProcTree(tmp_path)
    procfs = ProcFs(tmp_path)
    for pid in (5, 60):
        tree.put(pid)
    listing = procfs.listing()
    assert sorted(listing) == procfs.pids() == [5, 60]
    token = procfs.token(5)
    assert token
    assert token[0] == listing[5]
    tree.put(5, own=7)
    assert procfs.token(5) == token
    tree.drop(5)
    assert procfs.token(5) is None
    tree.put(5)
    assert procfs.token(5) != token


def test_a_real_process_keeps_its_token() -> None:
    procfs = ProcFs()
    token = procfs.token(os.getpid())
    assert token
    assert procfs.listing()[os.getpid()] == token[0] == procfs.listing()[os.getpid()]
    assert procfs.token(os.getpid()) == token
