"""On which CPUs a process ran during a window, from where it was seen last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from aipower.model import ProcessId
from aipower.processes.procfs import ProcFs, StatRow

MOST_PROCESSES = 16
"""Processes whose threads are looked at in one window: the busiest."""
MOST_THREADS = 512
"""Threads looked at in one window, of all processes together: 6 ms of reading."""
BUSY_SHARE = 0.1
"""Below this share of one CPU a process's threads are not worth a look."""


class Stint(Struct, frozen=True):
    """A thread's time on one CPU."""

    cpu: int
    seconds: float
    thread: int = 0
    """Tells the threads of one process apart."""


Places = Mapping[ProcessId, Sequence[Stint]]
"""Stints of each process, which sum to its seconds; a process that is not in it may have run anywhere."""

_Threads = dict[tuple[int, int], tuple[int, int]]
"""CPU time in ticks and last CPU of each thread, by its id and start."""


class Placement:
    """Follows processes from window to window. Keeps one number per process, and the threads of a few."""

    def __init__(self, procfs: ProcFs, *, threads: bool) -> None:
        """`threads` looks at the threads of busy processes: worth it where there is more than one socket."""
        self._procfs = procfs
        self._look_at_threads = threads
        self._rows: Mapping[int, StatRow] = {}
        """All processes as they were at the last look, by pid."""
        self._threads: dict[ProcessId, _Threads] = {}

    def note(self, rows: Mapping[int, StatRow]) -> None:
        """Remember where all processes are at the end of a window."""
        self._rows = rows

    def places(self, busy_s: Mapping[ProcessId, float], rows: Mapping[int, StatRow], span_s: float) -> Places:
        """Where the `busy_s` of a window that ends with `rows` were spent.

        A process with one busy thread, or with little work, is taken to have run where its first thread ran last:
        half and half where that differs at the two ends of the window. Of busy processes with several threads
        those are asked, where that was wanted; without it nobody knows.
        """
        found: dict[ProcessId, Sequence[Stint]] = {}
        many = []
        for process, seconds in busy_s.items():
            row = rows.get(process.pid)
            if row is not None and row.threads > 1 and seconds > BUSY_SHARE * span_s:
                many.append(process)
            elif stints := self._of_one(process, row, seconds):
                found[process] = stints
        if self._look_at_threads:
            found.update(self._of_many(sorted(many, key=busy_s.__getitem__, reverse=True), busy_s))
        return found

    def _of_one(self, process: ProcessId, row: StatRow | None, seconds: float) -> Sequence[Stint]:
        looks = (self._rows.get(process.pid), row)
        seen = {look.processor for look in looks if look and look.started_ticks == process.started_ticks}
        return [Stint(cpu, seconds / len(seen)) for cpu in sorted(seen)]

    def _of_many(self, busiest: Sequence[ProcessId], busy_s: Mapping[ProcessId, float]) -> Places:
        """Stints by the growth of each thread's CPU time; the first look goes by all that a thread ever did."""
        asked = busiest[:MOST_PROCESSES]
        known, self._threads = self._threads, {}
        found: dict[ProcessId, Sequence[Stint]] = {}
        for process in asked:
            threads = self._look(process.pid, MOST_THREADS // len(asked))
            self._threads[process] = threads
            if stints := _stints(known.get(process, {}), threads, busy_s[process]):
                found[process] = stints
        return found

    def _look(self, pid: int, most: int) -> _Threads:
        """The threads of `pid`, or a fixed sample of them: every n-th thread id, to meet them again next time."""
        try:
            ids = self._procfs.threads(pid)
            every = -(-len(ids) // most)
            sample = [tid for tid in ids if every == 1 or tid % every == 0][:most]
            rows = [self._procfs.thread_stat(pid, tid) for tid in sample]
        except OSError:  # no descriptor is left: where it ran stays unknown, the window itself is not lost
            return {}
        return {(row.pid, row.started_ticks): (row.own_ticks, row.processor) for row in rows if row is not None}


def _stints(before: _Threads, after: _Threads, seconds: float) -> Sequence[Stint]:
    """Stints that sum to `seconds`, by what each thread did; none where nothing was seen of any."""
    growth = {key: ticks - before.get(key, (0, 0))[0] for key, (ticks, _) in after.items()}
    total = sum(grown for grown in growth.values() if grown > 0)
    stints: list[Stint] = []
    for key, grown in growth.items():
        if grown > 0:
            cpus = {after[key][1], before.get(key, after[key])[1]}
            stints += [Stint(cpu, seconds * grown / total / len(cpus), key[0]) for cpu in sorted(cpus)]
    return stints
