"""Where processes ran, by the last CPU of their threads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from aipower.model import ProcessId
from aipower.processes.placement import MOST_PROCESSES, MOST_THREADS, Placement, Stint
from aipower.processes.procfs import ProcFs, StatRow
from processes.proctree import BOOT, ProcTree


def ident(pid: int) -> ProcessId:
    return ProcessId(BOOT, pid, 100)


@pytest.fixture
def proc(tmp_path: Path) -> ProcTree:
    return ProcTree(tmp_path)


@pytest.fixture
def procfs(proc: ProcTree) -> ProcFs:
    return ProcFs(proc.root, ticks_per_s=100)


def rows(procfs: ProcFs) -> Mapping[int, StatRow]:
    return {pid: row for pid in procfs.pids() if (row := procfs.stat(pid))}


def test_one_thread_is_where_it_was_at_both_ends(proc: ProcTree, procfs: ProcFs) -> None:
    placement = Placement(procfs, threads=True)
    proc.put(5, processor=0)
    proc.put(6, processor=0)
    placement.note(rows(procfs))
    proc.put(6, processor=2)
    proc.put(7, processor=3)
    busy_s = {ident(pid): 4.0 for pid in (5, 6, 7, 8)}
    places = placement.places(busy_s, rows(procfs), 10.0)
    assert places == {ident(5): [Stint(0, 4.0)], ident(6): [Stint(0, 2.0), Stint(2, 2.0)], ident(7): [Stint(3, 4.0)]}


def test_a_reused_pid_was_nowhere_before(proc: ProcTree, procfs: ProcFs) -> None:
    placement = Placement(procfs, threads=True)
    proc.put(5, processor=0, started=90)
    placement.note(rows(procfs))
    proc.put(5, processor=1)
    assert placement.places({ident(5): 1.0}, rows(procfs), 10.0) == {ident(5): [Stint(1, 1.0)]}


def test_busy_threads_are_asked_by_their_growth(proc: ProcTree, procfs: ProcFs) -> None:
    placement = Placement(procfs, threads=True)
    proc.put(5, processor=0, threads=2)
    proc.put_thread(5, 5, 100, 0)
    proc.put_thread(5, 6, 300, 1)
    first = placement.places({ident(5): 4.0}, rows(procfs), 10.0)
    assert first == {ident(5): [Stint(0, 1.0, 5), Stint(1, 3.0, 6)]}
    proc.put_thread(5, 6, 900, 2)
    second = placement.places({ident(5): 4.0}, rows(procfs), 10.0)
    assert second == {ident(5): [Stint(1, 2.0, 6), Stint(2, 2.0, 6)]}
    idle = placement.places({ident(5): 4.0}, rows(procfs), 10.0)
    assert idle == {}


def test_little_work_is_not_worth_a_look_and_one_socket_never_is(proc: ProcTree, procfs: ProcFs) -> None:
    proc.put(5, processor=2, threads=2)
    proc.put_thread(5, 5, 100, 0)
    assert Placement(procfs, threads=True).places({ident(5): 0.9}, rows(procfs), 10.0) == {ident(5): [Stint(2, 0.9)]}
    assert Placement(procfs, threads=False).places({ident(5): 9.0}, rows(procfs), 10.0) == {}


class CountingProcFs(ProcFs):
    """Counts the threads that are read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, 100)
        self.asked: list[int] = []

    def thread_stat(self, pid: int, tid: int) -> StatRow | None:
        self.asked.append(pid)
        return super().thread_stat(pid, tid)


def test_the_look_is_bounded(proc: ProcTree) -> None:
    for pid in range(1000, 21000, 1000):
        proc.put(pid, threads=100)
        for tid in range(pid, pid + 100):
            (proc.root / str(pid) / "task" / str(tid)).mkdir(parents=True)
    procfs = CountingProcFs(proc.root)
    busy_s = {ident(pid): 2.0 + pid for pid in range(1000, 21000, 1000)}
    assert Placement(procfs, threads=True).places(busy_s, rows(procfs), 10.0) == {}
    assert len(procfs.asked) <= MOST_THREADS
    assert sorted(set(procfs.asked)) == list(range(5000, 21000, 1000))
    assert len(set(procfs.asked)) == MOST_PROCESSES


BURN = """
import threading, time
def burn():
    while time.process_time() < 0.4:
        pass
more = threading.Event()
def work():
    burn()
    print(time.process_time(), flush=True)
    more.wait()
threading.Thread(target=work, daemon=True).start()
input()
"""


def test_real_threads_ran_on_real_cpus() -> None:
    procfs = ProcFs()
    with subprocess.Popen([sys.executable, "-S", "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        row = procfs.stat(child.pid)
        assert row
        process = ProcessId(BOOT, row.pid, row.started_ticks)
        places = Placement(procfs, threads=True).places({process: 0.4}, {row.pid: row}, 1.0)
        child.communicate(b"\n")
    stints = places[process]
    assert sum(stint.seconds for stint in stints) == pytest.approx(0.4)
    busiest = max(stints, key=lambda stint: stint.seconds)
    assert busiest.thread != child.pid
    assert busiest.seconds > 0.2
    assert {stint.cpu for stint in stints} <= set(procfs.cpu_totals().busy_by_cpu_s)
