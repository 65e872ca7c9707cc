"""Watched processes: one call tells who has ended, and nothing else about the table is any different."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.model import ProcessId
from aipower.processes.procfs import ProcFs, StatRow
from aipower.processes.table import REREAD_S, REREAD_WATCHED_S, SCAN_FRESH_S, UNASKED_S, ProcessTable
from aipower.processes.watch import Watch
from aipower.seams import Sighting
from processes.proctree import ProcTree

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
LIMIT_S = 30.0


class Pushed:
    """The real clocks, which a test may push ahead."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def monotonic_s(self) -> float:
        return time.monotonic() + self.ahead_s

    def unix_s(self) -> float:
        return time.time() + self.ahead_s

    def sleep(self, seconds: float) -> None:
        self.ahead_s += seconds


class Reads(ProcFs):
    """The real /proc, which notes what is asked of it."""

    __slots__ = ("rows", "tokens")

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []
        self.tokens: list[int] = []

    def stat(self, pid: int) -> StatRow | None:
        self.rows.append(pid)
        return super().stat(pid)

    def token(self, pid: int) -> tuple[int, int] | None:
        self.tokens.append(pid)
        return super().token(pid)


class Unwatchable(ProcFs):
    """The real /proc, as if it were another namespace's."""

    __slots__ = ()

    def own_pid(self) -> int | None:
        return None


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def spawn(*, pid: int | None = None) -> int:
    """A process that sleeps, with `pid` if that is to be had."""
    if pid is not None:
        LAST_PID.write_text(str(pid - 1))
    return os.posix_spawn("/bin/sleep", ["sleep", "1000"], {})


def kill(pid: int) -> None:
    """End `pid`, which is a zombie then."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def reap(pid: int) -> None:
    kill(pid)
    os.waitpid(pid, 0)


@contextmanager
def sleepers(count: int) -> Iterator[list[int]]:
    pids = [spawn() for _ in range(count)]
    try:
        yield pids
    finally:
        for pid in pids:
            reap(pid)


def eventually(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def test_who_has_ended_is_told_once_also_before_anyone_has_waited_for_it() -> None:
    before = open_files()
    watch = Watch(ProcFs())
    with sleepers(3) as pids:
        assert [watch.add(pid) for pid in pids] == [True] * 3
        assert not watch.add(pids[0]), "it is watched already"
        assert watch.ended() == []
        kill(pids[1])
        assert watch.ended() == [pids[1]]
        assert watch.ended() == []
        assert pids[1] not in watch
        assert pids[2] in watch
        watch.drop(pids[0])
        watch.drop(pids[0])
        kill(pids[0])
        assert watch.ended() == []
        assert watch.pids() == (pids[2],)
    assert watch.ended() == [pids[2]]
    del watch
    assert open_files() == before


def test_all_that_end_at_once_are_told_at_once() -> None:
    watch = Watch(ProcFs())
    with sleepers(40) as pids:
        assert [watch.add(pid) for pid in pids] == [True] * 40
        for pid in pids:
            kill(pid)
        assert sorted(watch.ended()) == sorted(pids)


def test_there_is_room_for_some_only_and_none_for_whom_it_cannot_see(tmp_path: Path) -> None:
    before = open_files()
    with sleepers(3) as pids:
        watch = Watch(ProcFs(), 2)
        assert [watch.add(pid) for pid in pids] == [True, True, False]
        watch.drop(pids[0])
        assert watch.add(pids[2])
        gone = spawn()
        reap(gone)
        assert not Watch(ProcFs()).add(gone)
        assert not Watch(ProcFs(ProcTree(tmp_path).root)).add(pids[0])
        assert not Watch(Unwatchable()).add(pids[0])
        del watch
        assert open_files() == before


@pytest.mark.parametrize(("code", "tries"), [(errno.ENOSYS, 1), (errno.EPERM, 1), (errno.EMFILE, 3), (errno.ESRCH, 3)])
def test_where_there_is_no_such_call_it_is_tried_once_and_no_more(code: int, tries: int) -> None:
    asked: list[int] = []

    def refuse(pid: int) -> int:
        asked.append(pid)
        raise OSError(code, os.strerror(code))

    watch = Watch(ProcFs(), open_=refuse)
    assert [watch.add(os.getpid()) for _ in range(3)] == [False] * 3
    assert len(asked) == tries
    assert watch.ended() == []


def test_a_leader_that_left_its_threads_at_work_has_not_ended() -> None:
    program = "import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()\n"
    program += "import ctypes; print(flush=True); ctypes.CDLL(None).pthread_exit(None)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as job:
        assert job.stdout is not None
        job.stdout.readline()
        eventually(lambda: (row := ProcFs().stat(job.pid)) is not None and row.state == "Z")
        table = ProcessTable(ProcFs(), Pushed())
        process = table.resolve_gpus([(job.pid, None)])[0]
        assert process
        assert table.alive(process)
        assert table.resolve_gpus([(job.pid, None)])[0] == process
        assert table.alive(process)
        job.kill()
        eventually(lambda: not table.alive(process))


def test_of_the_watched_no_file_is_read() -> None:
    procfs, clock = Reads(), Pushed()
    table = ProcessTable(procfs, clock)
    with sleepers(3) as pids:
        now: list[Sighting] = [(pid, None) for pid in pids]
        first = table.resolve_gpus(now)
        assert [process and process.pid for process in first] == pids
        clear(procfs)
        assert table.resolve_gpus(now) == first
        assert table.resolve_gpus([(pid, clock.unix_s()) for pid in pids]) == first
        assert all(process and table.alive(process) for process in first)
        assert procfs.rows == procfs.tokens == []
        kill(pids[1])
        assert not (first[1] and table.alive(first[1]))
        assert table.resolve_gpus(now) == first, "a zombie holds its pid"
        assert set(procfs.rows) == {pids[1]}
        clock.sleep(REREAD_S)
        clear(procfs)
        assert table.resolve_gpus(now) == first
        assert procfs.rows == pids, "it may have another name"
        clock.sleep(REREAD_WATCHED_S - 1)
        clear(procfs)
        assert table.resolve_gpus(now[::2]) == first[::2]
        assert procfs.rows == [], "nor has it now"


def clear(procfs: Reads) -> None:
    procfs.rows.clear()
    procfs.tokens.clear()


def test_whom_no_driver_names_any_more_is_not_watched_for_ever() -> None:
    before, clock = open_files(), Pushed()
    table = ProcessTable(ProcFs(), clock)
    with sleepers(2) as pids:
        processes = table.resolve_gpus([(pid, None) for pid in pids])
        assert open_files() == before + 3, "one for each, and one that waits for all"
        clock.sleep(UNASKED_S / 2)
        table.resolve_gpus([(pids[0], None)])[0]
        clock.sleep(UNASKED_S / 2)
        table.resolve_gpus([(pids[0], None)])[0]
        assert open_files() == before + 2
        assert all(process and table.alive(process) for process in processes)
    del table
    assert open_files() == before


@pytest.mark.skipif(not os.access(LAST_PID, os.W_OK), reason="only root may choose the pid of the next process")
def test_a_pid_that_is_used_again_is_another_process_for_a_watched_one_too() -> None:
    clock = Pushed()
    table = ProcessTable(ProcFs(), clock)
    pid = spawn()
    old = table.resolve_gpus([(pid, None)])[0]
    born_unix_s = clock.unix_s()
    assert old
    reap(pid)
    time.sleep(0.1)  # a start time is known to a few ticks only
    eventually(lambda: _again(pid))
    new = table.resolve_gpus([(pid, None)])[0]
    assert new
    assert new != old
    assert (table.alive(old), table.alive(new)) == (False, True)
    assert table.resolve_gpus([(pid, None), (pid, born_unix_s), (pid, clock.unix_s()), (pid, 1e9)]) == [
        new,
        old,
        new,
        None,
    ]
    reap(pid)
    assert table.resolve_gpus([(pid, None)])[0] == new


def _again(pid: int) -> bool:
    """Whether there is a process of `pid` again."""
    got = spawn(pid=pid)
    if got != pid:
        reap(got)
    return got == pid


class Pair:
    """A table that watches and one that cannot, asked the same of the same processes."""

    def __init__(self) -> None:
        self.clock = Pushed()
        self.tables = ProcessTable(ProcFs(), self.clock), ProcessTable(Unwatchable(), self.clock)
        self.pids: list[int] = []
        self.zombies: set[int] = set()
        self.gone: list[int] = []
        self.met: set[ProcessId] = set()

    def start(self, _: int) -> None:
        self.pids.append(spawn())

    def kill(self, number: int) -> None:
        for pid in self.pids[number : number + 1]:
            kill(pid)
            self.zombies.add(pid)

    def reap(self, number: int) -> None:
        for pid in self.pids[number : number + 1]:
            reap(pid)
            self.pids.remove(pid)
            self.gone.append(pid)

    def wait(self, number: int) -> None:
        self.clock.sleep(2.0 * number)

    def scan(self, _: int) -> None:
        rows = [row for pid in self.pids if (row := ProcFs().stat(pid)) is not None]
        for table in self.tables:
            table.observe(rows)
        self.clock.sleep(SCAN_FRESH_S)  # a scan is believed for a while, a watch needs no belief

    def look(self, number: int) -> None:
        at_unix_s = (None, self.clock.unix_s(), self.clock.unix_s() - 1000)[number % 3]
        sightings: list[Sighting] = [(pid, at_unix_s) for pid in [*self.pids, *self.gone][number % 2 :]]
        first, second = (table.resolve_gpus(sightings) for table in self.tables)
        assert first == second == [self.tables[1].resolve_gpus([each])[0] for each in sightings]
        self.met.update(process for process in first if process is not None)
        for process in self.met:
            living = process.pid in self.pids and process.pid not in self.zombies
            assert [table.alive(process) for table in self.tables] == [living, living]
            assert self.tables[0].describe(process) == self.tables[1].describe(process)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([Pair.start, Pair.kill, Pair.reap, Pair.wait, Pair.scan]), st.integers(0, 5)))
)
def test_watched_or_not_the_answers_are_the_same(deeds: list[tuple[Callable[[Pair, int], None], int]]) -> None:
    pair = Pair()
    try:
        for deed, number in deeds:
            deed(pair, number)
            pair.look(number)
    finally:
        for pid in tuple(pair.pids):
            reap(pid)
