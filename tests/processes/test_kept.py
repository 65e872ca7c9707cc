"""Kept descriptors show what a fresh read shows, of the right process, and are few."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.processes.kept import KeptRows, allowed
from aipower.processes.procfs import ProcFs, StatRow
from processes.proctree import ProcTree


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_row_that_has_not_changed_is_the_same_object(tmp_path: Path) -> None:
    tree = ProcTree(tmp_path)
    tree.put(7, own=3)
    rows = KeptRows(ProcFs(tmp_path))
    rows.begin(ProcFs(tmp_path).listing())
    first = rows.stat(7)
    assert first == ProcFs(tmp_path).stat(7)
    assert rows.stat(7) is first
    tree.put(7, own=4)
    assert rows.stat(7) == ProcFs(tmp_path).stat(7) != first
    rows.close()


DEEDS = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "garbage", "scan", "read"]), st.integers(1, 6), st.integers(0, 99)),
    max_size=60,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(DEEDS)
def test_of_files_on_a_disk_rows_are_those_of_a_fresh_read(tmp_path: Path, deeds: list[tuple[str, int, int]]) -> None:
    tree, procfs = ProcTree(tmp_path), ProcFs(tmp_path)
    for pid in procfs.pids():
        tree.drop(pid)
    rows, before = KeptRows(procfs, 99), open_files()
    for deed, pid, number in deeds:
        if deed == "put":
            tree.put(pid, own=number, started=100 + number % 3)
        elif deed == "drop" and (tmp_path / str(pid)).exists():
            tree.drop(pid)
        elif deed == "garbage":
            tree.write(f"{pid}/stat", b"x" * (number % 2))
        elif deed == "scan":
            rows.begin(procfs.listing())
        assert rows.stat(pid, often=bool(number % 2)) == procfs.stat(pid)
        assert open_files() == before


class Threads:
    """Threads, which come and go below /proc/self/task as processes do below /proc."""

    def __init__(self) -> None:
        self._stops: dict[int, tuple[threading.Thread, threading.Event]] = {}

    def start(self) -> int:
        stop = threading.Event()
        thread = threading.Thread(target=stop.wait, daemon=True)
        thread.start()
        assert thread.native_id is not None
        self._stops[thread.native_id] = (thread, stop)
        return thread.native_id

    def end(self, tid: int) -> None:
        thread, stop = self._stops.pop(tid)
        stop.set()
        thread.join()
        deadline_s = time.monotonic() + 30
        while Path(f"/proc/self/task/{tid}").exists():
            assert time.monotonic() < deadline_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for tid in tuple(self._stops):
            self.end(tid)


def calm(row: StatRow | None) -> StatRow | None:
    """`row` as if its thread slept: one that was just started may not have come to that between two reads."""
    return replace(row, state="S") if row is not None and row.state == "R" else row


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["start", "end", "scan", "read"]), st.integers(0, 9)), max_size=25))
def test_of_a_real_proc_rows_are_those_of_a_fresh_read(deeds: list[tuple[str, int]]) -> None:
    procfs, ours = ProcFs(Path("/proc/self/task")), list[int]()
    rows, before, most = KeptRows(procfs, 3), open_files(), 3
    with Threads() as threads:
        for deed, number in deeds:
            if deed == "start":
                ours.append(threads.start())
            elif deed == "end" and ours:
                threads.end(tid := ours.pop(number % len(ours)))
                assert rows.stat(tid) is None, "before any listing has told"
            elif deed == "scan":
                rows.begin(procfs.listing())
            for tid in ours:
                assert calm(rows.stat(tid, often=bool(number % 2))) == calm(procfs.stat(tid))
            assert open_files() - before <= most
    rows.close()
    assert open_files() == before


def test_a_process_that_has_left_is_gone_though_its_descriptor_is_open() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        procfs, before = ProcFs(), open_files()
        rows = KeptRows(procfs)
        rows.begin(procfs.listing())
        assert (row := rows.stat(child.pid)) is not None
        assert row.ppid == os.getpid()
        assert open_files() == before + 1
        child.communicate(b"\n")
    assert rows.stat(child.pid) is None, "before any listing has told"
    rows.close()


def test_those_who_are_read_often_come_first() -> None:
    procfs, before = ProcFs(Path("/proc/self/task")), open_files()
    with Threads() as threads:
        ours = [threads.start() for _ in range(12)]
        rows = KeptRows(procfs, 8)
        rows.begin(procfs.listing())
        for tid in ours:
            rows.stat(tid, often=False)
        assert open_files() - before == 6
        for tid in ours:
            rows.stat(tid, often=True)
        assert open_files() - before == 8
        rows.begin({})
        assert open_files() == before


def test_one_that_nobody_closes_gives_its_descriptors_back() -> None:
    procfs, before = ProcFs(Path("/proc/self/task")), open_files()
    rows = KeptRows(procfs)
    rows.begin(procfs.listing())
    rows.stat(os.getpid())
    assert open_files() == before + 1
    del rows
    assert open_files() == before


@pytest.mark.parametrize(("soft", "most"), [(1024, 256), (256, 64), (100_000, 1024), (resource.RLIM_INFINITY, 1024)])
def test_a_share_of_what_the_system_allows_is_kept(soft: int, most: int) -> None:
    assert allowed(soft) == most


def test_a_daemon_may_have_what_the_hard_limit_allows() -> None:
    program = (
        "import resource; from aipower.processes.kept import raise_limit\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128)); raise_limit(); raise_limit()\n"
        "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["128", "128"]
