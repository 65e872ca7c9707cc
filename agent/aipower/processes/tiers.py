"""Reads the rows of all processes, those of idle ones less often: most processes of a host sleep for hours.

An idle process keeps its last row for some scans. What it does meanwhile is found when it is read again, so that
nothing is lost; `CpuAccounts` asks for more: whoever is in a scan must not have been reaped before its ancestors
were read, and who inherits its debts must be known. So a process is read all the same if it may have been reaped
or may have got another parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from aipower.processes.procfs import StatRow

IDLE_SCANS = 3
"""So many scans without CPU time make a process idle."""
READ_EVERY = 4
"""An idle process is read at every fourth scan."""


class Reader(Protocol):
    """What is asked of /proc."""

    def begin(self, inodes: Mapping[int, int]) -> None:
        """A scan of those in the listing `inodes` begins."""
        ...

    def stat(self, pid: int, *, often: bool = True) -> StatRow | None:
        """The row of `pid`; None if it has left. `often` says that it will be read at the next scan too."""
        ...

    def token(self, pid: int) -> tuple[int, int] | None:
        """The inode of the folder of `pid` and more; None if it has left."""
        ...


class _Seen(Struct, frozen=True):
    """A process as it was last read."""

    row: StatRow
    inode: int
    idle: int = 0
    """Scans in which it was read and had used nothing."""


class _Pass(Struct):
    """One scan while it is under way."""

    inodes: Mapping[int, int]
    bereft: set[int]
    """Parents of processes that had left before it."""
    taken: dict[int, _Seen] = field(default_factory=dict)
    rested: set[int] = field(default_factory=set)
    """Those who kept their last row."""
    reaping: set[int] = field(default_factory=set)
    """Those who have waited for a child since they were last read, and all below them."""


class TieredScan:
    """Successive scans of all processes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._last: dict[int, _Seen] = {}
        self._scans = 0
        self.rested: frozenset[int] = frozenset()
        """Those whose row in the last scan is an older one."""

    def rows(self, order: Iterable[int], inodes: Mapping[int, int]) -> list[StatRow]:
        """The rows of those in `order` who still live, in that order; `inodes` is the listing that it was made of."""
        self._scans += 1
        self._reader.begin(inodes)
        left = [seen for pid, seen in self._last.items() if inodes.get(pid) != seen.inode]
        now = _Pass(inodes, {seen.row.ppid for seen in left})
        for pid in order:
            seen = self._rest(pid, now) or self._read(pid, now)
            if seen is not None:
                now.taken[pid] = seen
        self._mend(now)
        self._last = now.taken
        self.rested = frozenset(now.rested)
        return [seen.row for seen in now.taken.values()]

    def _rest(self, pid: int, now: _Pass) -> _Seen | None:
        """`pid` as it was, if that will do."""
        seen = self._last.get(pid)
        if seen is None or seen.inode != now.inodes[pid] or seen.idle < IDLE_SCANS or pid in now.bereft:
            return None
        if (self._scans + pid) % READ_EVERY == 0 or not self._has_its_parent(seen.row, now):
            return None
        if seen.row.ppid in now.reaping:
            token = self._reader.token(pid)
            if token is None or token[0] != seen.inode:
                return None
            now.reaping.add(pid)
        now.rested.add(pid)
        return seen

    def _has_its_parent(self, row: StatRow, now: _Pass) -> bool:
        """True if the parent that it had is still there, so that it cannot have got another one by its end."""
        if row.ppid == 0:
            return True
        before, after = self._last.get(row.ppid), now.taken.get(row.ppid)
        return bool(before and after and before.row.started_ticks == after.row.started_ticks)

    def _read(self, pid: int, now: _Pass) -> _Seen | None:
        seen = self._last.get(pid)
        row = self._reader.stat(pid, often=seen is not None and seen.idle < IDLE_SCANS)
        if row is None:
            return None
        if seen is not None and row is seen.row:
            return self._unchanged(seen, pid, now)
        old = seen.row if seen and seen.row.started_ticks == row.started_ticks else None
        if old is None or old.reaped_ticks != row.reaped_ticks or row.ppid in now.reaping:
            now.reaping.add(pid)
        quiet = old is not None and (old.own_ticks, old.reaped_ticks) == (row.own_ticks, row.reaped_ticks)
        return _Seen(row, now.inodes[pid], seen.idle + 1 if seen and quiet else 0)

    def _unchanged(self, seen: _Seen, pid: int, now: _Pass) -> _Seen:
        """One whose row is the very same as before."""
        if seen.row.ppid in now.reaping:
            now.reaping.add(pid)
        inode = now.inodes[pid]
        if seen.idle >= IDLE_SCANS and seen.inode == inode:
            return seen  # how long it has been idle makes no difference any more
        return _Seen(seen.row, inode, seen.idle + 1)

    def _mend(self, now: _Pass) -> None:
        """Look after the resting parents of those who left meanwhile: a zombie has not reaped its child.

        Only state and parent are taken from this late look: its times may hold those of children that were
        read, alive, before it.
        """
        left = (seen.row.ppid for pid, seen in self._last.items() if pid in now.inodes and pid not in now.taken)
        for pid in now.rested.intersection(left):
            seen = now.taken[pid]
            late = self._reader.stat(pid)
            if late is None or late.started_ticks != seen.row.started_ticks:
                row = replace(seen.row, state="Z")
            else:
                row = replace(seen.row, state=late.state, ppid=late.ppid)
            now.taken[pid] = replace(seen, row=row)
