"""Finds the descendants of one process, cheaply enough for ten times a second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from aipower.processes.procfs import ProcFs, StatRow

_RECHECK_EVERY = 64
"""Scans after which strangers are read again, in case a pid was reused by a descendant."""


class Descendants:
    """All processes below `ancestor_pid`, whether or not their own parents live.

    One listing of /proc per scan, then the rows of the descendants and of pids that were not there before: who
    is no descendant never becomes one. (The `children` files of the kernel would need a file per thread, of
    which a training job has thousands, and not every kernel has them.)
    """

    def __init__(
        self,
        procfs: ProcFs,
        ancestor_pid: int,
        ignore: frozenset[int] = frozenset(),
        since_ticks: int = 0,
        root_pid: int = 0,
        before: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """A finder that leaves out some children of `ancestor_pid`, and all below them.

        `before` is a listing of /proc from before there was any descendant: whoever is in it need not be read.

        It takes in `root_pid`, whosever child that is.
        Those are `ignore` and all that started before `since_ticks`: a shell that had jobs in the background
        when it became us by exec has left them to us.
        """
        self._procfs = procfs
        self._ancestor_pid = ancestor_pid
        self._ignore = ignore
        self._since_ticks = since_ticks
        self._root_pid = root_pid
        self._kin: dict[int, int] = {}
        """Start ticks of each descendant; in the order of discovery, so parents come before their children."""
        self._strangers: set[int] = set()
        self._before = before
        self._scans = 0

    def scan(self) -> list[StatRow]:
        """The rows of all descendants that live now, in the order in which they were read: parents first.

        Raises:
            OSError: /proc cannot be read.
        """
        self._scans += 1
        if self._scans % _RECHECK_EVERY == 0:
            self._strangers.clear()
        listed = self._first_listing() if self._before else self._procfs.pids()
        self._strangers.intersection_update(listed)
        rows = self._known_rows()
        unknown = [pid for pid in listed if pid not in self._kin and pid not in self._strangers]
        return rows + self._welcome(self._rows(unknown), frozenset(listed))

    def _first_listing(self) -> list[int]:
        """All pids; those whose folder is the one of before are strangers, unless their pid is another's by now."""
        listing, before = self._procfs.listing(), self._before
        self._before = {}
        self._strangers.update(pid for pid, inode in listing.items() if before.get(pid) == inode)
        return sorted(listing)

    def _known_rows(self) -> list[StatRow]:
        rows = [row for row in self._rows(self._kin) if row.started_ticks == self._kin[row.pid]]
        self._kin = {row.pid: row.started_ticks for row in rows}
        return rows

    def _welcome(self, rows: list[StatRow], listed: frozenset[int]) -> list[StatRow]:
        """Those of the new `rows` that are kin; the others are strangers, as far as their parents are known."""
        kin: list[StatRow] = []
        while found := [row for row in rows if self._descends(row)]:
            self._kin.update((row.pid, row.started_ticks) for row in found)
            kin += found
            rows = [row for row in rows if row.pid not in self._kin]
        self._strangers.update(row.pid for row in rows if row.ppid == 0 or row.ppid in listed)
        return kin

    def _descends(self, row: StatRow) -> bool:
        if row.pid == self._root_pid:
            return row.started_ticks == self._since_ticks
        if row.ppid == self._ancestor_pid:
            return row.started_ticks >= self._since_ticks and row.pid not in self._ignore
        return row.ppid in self._kin

    def _rows(self, pids: Iterable[int]) -> list[StatRow]:
        return [row for pid in pids if (row := self._procfs.stat(pid)) is not None]
