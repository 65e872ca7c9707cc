"""Who has a pid now, or had it moments ago."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct, field

from aipower.model import Place, ProcessId, ProcessInfo
from aipower.processes.procfs import ProcFs, StatRow
from aipower.processes.starttimes import SLACK_S, StartTimes
from aipower.processes.watch import Watch
from aipower.seams import Clock, Sighting

TOMBSTONE_S = 12.0
"""How long a dead pid still resolves: the driver's ring of GPU utilisation samples reaches back 10 s."""
REMEMBER_S = 60.0
"""How long a dead process can still be described."""
REMEMBER_MOST = 10_000
"""No more dead processes than this are remembered, however fast they come and go."""
INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of the kernel: the namespace in which pids are those of the host."""
PLACE_AGAIN_S, PLACE_S = 2.0, 60.0
"""A new process may be moved to the group of its job at once; later that is rare."""
REREAD_S = 10.0
"""How long a row is believed while its pid has the same token: names change slowly."""
REREAD_WATCHED_S = 60.0
"""How long it is believed of one that is watched and has not changed its name lately: what ends is seen otherwise."""
UNASKED_S = 60.0
"""One of whom no GPU's driver has spoken for so long is watched no more."""
LISTING_FROM = 100
"""To list all of /proc costs less than to look at so many processes."""
NODE_S = 2.0
"""How long it is believed that there is a GPU's device node, or none."""
SCAN_FRESH_S = 1.0
"""Whoever was in a scan so recently is taken to live."""


def user_name(uid: int) -> str:
    """The name of `uid`, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


class _Entry(Struct):
    """What is remembered of one process."""

    id: ProcessId
    comm: str
    uid: int | None
    trusted: bool = False
    ended_s: float | None = None
    token: tuple[int, int] | None = None
    """Of the process's folder, from just before the row was read."""
    inode: int = 0
    """Of that folder, from no later than the row was read."""
    reread_s: float = 0.0
    """When its row is to be read again."""
    started_s: float = 0.0
    """Since the boot."""
    watched: bool = False
    """While it is, this very process has the pid."""
    asked_s: float = 0.0
    """When a driver spoke of it last, if it is watched."""
    zombie: bool = False
    row: StatRow | None = None
    """What was read of it last."""
    place: Place = field(default_factory=Place)
    place_s: float | None = None
    """When its place is to be looked up again; None before the first time."""
    info: ProcessInfo | None = None
    """How it was described last; None where that has changed."""

    def may_have_moved(self, now_s: float) -> bool:
        """Whether its place is to be looked up again; who has ended stays where it was seen last."""
        return self.ended_s is None and (self.place_s is None or now_s >= self.place_s)


class ProcessTable:
    """Resolves pids safely against their reuse. It knows those it was asked for and those it was taught.

    Its methods let OSError pass where /proc fails for another reason than that a process has left.
    """

    def __init__(
        self,
        procfs: ProcFs,
        clock: Clock,
        users: Callable[[int], str] = user_name,
        *,
        dev: Path = Path("/dev"),
        place_of: Callable[[int], Place] = lambda _: Place(),
    ) -> None:
        """A table over `procfs`; `dev` is where the GPU's device nodes are, `place_of` says where a pid belongs."""
        self.boot = procfs.boot_id()
        self._place_of = place_of
        self._procfs = procfs
        self._clock = clock
        self._users = users
        self._user_names: dict[int, str] = {}
        self._gpu_node = f"{os.fspath(dev)}/nvidia"
        self._start_times = StartTimes(procfs, clock)
        self._watch = Watch(procfs)
        self._node_seen = (-NODE_S, False)
        self._scanned_s = -SCAN_FRESH_S
        self._foreign_namespace = procfs.pid_namespace() not in {"", INITIAL_PID_NAMESPACE}
        self._living: dict[int, _Entry] = {}
        self._dead: dict[ProcessId, _Entry] = {}
        self._buried: dict[int, ProcessId] = {}
        self._swept_s = clock.monotonic_s()

    def resolve(self, pid: int) -> ProcessId | None:
        """The process that has `pid` now, or had it until `TOMBSTONE_S` ago; None if it is unknown."""
        return self.resolve_at(pid, None)

    def resolve_at(self, pid: int, sampled_unix_s: float | None) -> ProcessId | None:
        """The process that had `pid` at `sampled_unix_s`, or as `resolve` says where that is None.

        A sample that is older than the process which has the pid now belongs to its tombstone, if to any.
        """
        return self._resolved(pid, sampled_unix_s)

    def resolve_gpus(self, sightings: Iterable[Sighting]) -> list[ProcessId | None]:
        """Like `resolve_at`, for pids that a GPU driver named: None where a pid may be another namespace's.

        All are resolved as of one moment, which is less work than one by one.
        """
        now_s = self._look_around()
        # What is asked of all at once here is the way of those that live as they did: the others take the long one.
        booted_unix_s = self._start_times.booted_unix_s()
        doubtful = self._doubtful(now_s)
        living = self._living
        found: list[ProcessId | None] = []
        for pid, sampled_unix_s in sightings:
            entry = living.get(pid)
            if (
                entry is not None
                and entry.watched
                and now_s < entry.reread_s
                and (sampled_unix_s is None or booted_unix_s + entry.started_s <= sampled_unix_s + SLACK_S)
                and (entry.trusted or not doubtful)
            ):
                entry.asked_s = now_s
                found.append(entry.id)
            else:
                found.append(self._resolved_gpu(pid, sampled_unix_s, now_s, doubtful=doubtful))
        return found

    def trusts(self, pid: int) -> bool:
        """True if `pid` as named by a GPU driver is the process that we see under it.

        Outside the initial PID namespace a driver's pid may be the host's, and a stranger here may have it
        too; only one that holds a GPU's device node open can be meant.
        """
        if not self._doubtful(self._clock.monotonic_s()):
            return self._procfs.stat(pid) is not None
        return any(target.startswith(self._gpu_node) for target in self._procfs.open_files(pid))

    def describe(self, process: ProcessId) -> ProcessInfo:
        """Name and user of `process`; both empty where it was never met or is long forgotten."""
        entry = self._entry(process)
        if entry is None:
            return ProcessInfo(process, "")
        now_s = self._clock.monotonic_s()
        info = entry.info
        if info is None or entry.may_have_moved(now_s):
            info = self._described(entry, now_s)
        return info

    def alive(self, process: ProcessId) -> bool:
        """True while the very same process exists and has not ended; a zombie has. A fresh scan is believed."""
        entry = self._living.get(process.pid)
        if entry is not None and entry.id == process:
            if entry.watched:
                self._mark_ended()
                if entry.watched:
                    return True
            if self._clock.monotonic_s() - self._scanned_s < SCAN_FRESH_S:
                return not entry.zombie
        row = self._procfs.stat(process.pid)
        return row is not None and self._id(row) == process and not row.ended

    def learn(self, row: StatRow) -> ProcessId:
        """Takes note of a row that someone has read; the process that it is of."""
        self._tidy()
        return self._note(row).id

    def observe(self, rows: Iterable[StatRow], inodes: Mapping[int, int] = MappingProxyType({})) -> None:
        """Takes note of a scan of all processes: whoever is not in it has left.

        `inodes` are those of their folders, from before the rows were read; who has none is read once more some time.
        """
        seen = {}
        living = self._living
        for row in rows:
            seen[row.pid] = row
            entry = living.get(row.pid)
            if entry is None or entry.row is not row:  # most rows of a scan are those of the one before
                self._note(row).inode = inodes.get(row.pid, 0)
        for pid in [pid for pid in living if pid not in seen]:
            self._bury(pid)
        self._scanned_s = self._swept_s = self._clock.monotonic_s()
        self._forget()

    def known(self) -> Iterator[ProcessId]:
        """All that is remembered, living and dead."""
        yield from (entry.id for entry in self._living.values())
        yield from self._dead

    def _resolved(self, pid: int, sampled_unix_s: float | None) -> ProcessId | None:
        now_s = self._look_around()
        return self._resolved_as_of(pid, sampled_unix_s, now_s)

    def _resolved_as_of(self, pid: int, sampled_unix_s: float | None, now_s: float) -> ProcessId | None:
        entry = self._refresh(pid, now_s)
        if entry and (sampled_unix_s is None or self._existed(entry.id, sampled_unix_s)):
            return entry.id
        tomb = self._tombstone(pid)
        if tomb and (sampled_unix_s is None or self._existed(tomb.id, sampled_unix_s)):
            return tomb.id
        return None

    def _resolved_gpu(
        self, pid: int, sampled_unix_s: float | None, now_s: float, *, doubtful: bool
    ) -> ProcessId | None:
        process = self._resolved_as_of(pid, sampled_unix_s, now_s)
        self._begin_watch(pid, now_s)
        if process is None or not doubtful:
            return process
        entry = self._entry(process)
        if entry and not entry.trusted and entry.ended_s is None:
            entry.trusted = self.trusts(pid)
        return process if entry and entry.trusted else None

    def _id(self, row: StatRow) -> ProcessId:
        return ProcessId(self.boot, row.pid, row.started_ticks)

    def _doubtful(self, now_s: float) -> bool:
        if not self._foreign_namespace:
            return False
        looked_s, there = self._node_seen
        if now_s - looked_s >= NODE_S:
            there = os.path.exists(f"{self._gpu_node}ctl")  # noqa: PTH110 - hot path
            self._node_seen = (now_s, there)
        return there

    def _entry(self, process: ProcessId) -> _Entry | None:
        entry = self._living.get(process.pid)
        return entry if entry and entry.id == process else self._dead.get(process)

    def _look_around(self) -> float:
        """Before pids are resolved: what is known of all who have left meanwhile. The time."""
        now_s = self._clock.monotonic_s()
        if now_s - self._swept_s >= TOMBSTONE_S:
            self._tidy()
        self._mark_ended()
        return now_s

    def _mark_ended(self) -> None:
        """Those that were watched and have ended are looked at anew when they are asked for."""
        for pid in self._watch.ended():
            self._living[pid].watched = False
            self._living[pid].reread_s = 0.0

    def _begin_watch(self, pid: int, now_s: float) -> None:
        """Watch who has `pid`, if it is sure that it is the one whom we know."""
        entry = self._living.get(pid)
        if entry is None or entry.watched or entry.zombie or entry.token is None or not self._watch.add(pid):
            return
        # Its folder was the same before and after the watch began: so the watch is over that very process.
        entry.watched = self._procfs.token(pid) == entry.token
        entry.asked_s = now_s
        if not entry.watched:
            self._watch.drop(pid)

    def _end_watch(self, entry: _Entry) -> None:
        if entry.watched:
            entry.watched = False
            self._watch.drop(entry.id.pid)

    def _refresh(self, pid: int, now_s: float) -> _Entry | None:
        """Who has `pid` now. A row is read only where the token or the time says that it may have changed."""
        token = self._procfs.token(pid)
        entry = self._living.get(pid)
        if entry and token and entry.token == token and now_s < entry.reread_s:
            return entry
        row = self._procfs.stat(pid) if token else None
        if row is None or token is None:
            self._bury(pid)
            return None
        settled = entry is not None and entry.watched and entry.comm == row.comm
        entry = self._note(row)
        entry.token, entry.inode = token, token[0]
        entry.reread_s = now_s + (REREAD_WATCHED_S if settled else REREAD_S)
        return entry

    def _note(self, row: StatRow) -> _Entry:
        entry = self._living.get(row.pid)
        if entry is not None and entry.id.started_ticks == row.started_ticks:
            if entry.comm != row.comm:
                entry.comm, entry.info = row.comm, None
            entry.zombie, entry.row = row.ended, row
            return entry
        self._bury(row.pid)
        entry = _Entry(self._id(row), row.comm, self._procfs.uid(row.pid), zombie=row.ended, row=row)
        entry.started_s = row.started_ticks / self._procfs.ticks_per_s
        self._living[row.pid] = entry
        return entry

    def _bury(self, pid: int) -> None:
        entry = self._living.pop(pid, None)
        if entry is not None:
            self._end_watch(entry)
            entry.ended_s = self._clock.monotonic_s()
            self._dead[entry.id] = entry
            self._buried[pid] = entry.id

    def _tombstone(self, pid: int) -> _Entry | None:
        entry = self._dead.get(self._buried[pid]) if pid in self._buried else None
        if entry is None or entry.ended_s is None or self._clock.monotonic_s() - entry.ended_s > TOMBSTONE_S:
            return None
        return entry

    def _existed(self, process: ProcessId, at_unix_s: float) -> bool:
        """True unless `process` started after `at_unix_s`."""
        started_unix_s = self._start_times.unix_s(process.started_ticks)
        return started_unix_s is None or started_unix_s <= at_unix_s + SLACK_S

    def _tidy(self) -> None:
        """Now and then finds out who has left without anyone asking, so that no one is kept for ever."""
        now_s = self._clock.monotonic_s()
        if now_s - self._swept_s < TOMBSTONE_S:
            return
        self._swept_s = now_s
        self._mark_ended()
        unwatched = [(pid, entry) for pid, entry in self._living.items() if not entry.watched]
        inodes = self._inodes([pid for pid, _ in unwatched])
        for pid, entry in unwatched:
            inode = inodes.get(pid)
            if inode is None:
                self._bury(pid)
            elif entry.inode != inode:
                self._refresh(pid, now_s)
        self._forget()

    def _inodes(self, pids: Collection[int]) -> Mapping[int, int]:
        """The inodes of the folders of `pids`, as far as they are there."""
        if len(pids) >= LISTING_FROM:
            return self._procfs.listing()
        return {pid: token[0] for pid in pids if (token := self._procfs.token(pid)) is not None}

    def _forget(self) -> None:
        now_s = self._clock.monotonic_s()
        for pid in self._watch.pids():
            if now_s - self._living[pid].asked_s >= UNASKED_S:
                self._end_watch(self._living[pid])
        oldest_s = now_s - REMEMBER_S
        while self._dead:
            process, entry = next(iter(self._dead.items()))
            if len(self._dead) <= REMEMBER_MOST and (entry.ended_s or 0.0) >= oldest_s:
                return
            del self._dead[process]
            if self._buried.get(process.pid) == process:
                del self._buried[process.pid]

    def _described(self, entry: _Entry, now_s: float) -> ProcessInfo:
        """Who is described as before gets the same object, which tells others that nothing has changed."""
        user = "" if entry.uid is None else self._user(entry.uid)
        info = ProcessInfo(entry.id, entry.comm, user, self._place(entry, now_s))
        if entry.info is None or info != entry.info:
            entry.info = info
        return entry.info

    def _place(self, entry: _Entry, now_s: float) -> Place:
        """Where it belongs."""
        if entry.may_have_moved(now_s):
            entry.place_s = now_s + (PLACE_AGAIN_S if entry.place_s is None else PLACE_S)
            place = self._place_of(entry.id.pid)
            # One that leaves meanwhile is in no group any more.
            entry.place = entry.place if place == Place() else place
        return entry.place

    def _user(self, uid: int) -> str:
        if uid not in self._user_names:
            self._user_names[uid] = self._users(uid)
        return self._user_names[uid]
