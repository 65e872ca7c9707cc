"""Rows of /proc/PID/stat from descriptors that are kept open: a read costs a third of an open, a read and a close.

The kernel keeps a page of memory for each such descriptor, so there are few, for those who are read most often. What
is read through one is always of the process that it was opened for: of one that has left the read fails. Files on a
disk in place of /proc have no such rule, so they are opened for each read. What was read last is kept of all: rows of
processes that did nothing need not be understood anew.
"""

from __future__ import annotations

import os
import resource
import weakref
from collections.abc import Mapping

from msgspec import Struct

from aipower.processes.procfs import GONE, ROW_BYTES, ProcFs, StatRow, parse_stat

MOST_KEPT = 1024
"""4 MB of the kernel's memory."""
SHARE = 0.25
"""Of the descriptors that this process may have."""
IDLE_SHARE = 0.75
"""Of the kept ones that may be of processes which are not read at each scan."""
WANTED_FILES = 65536
"""Far more than an agent ever has open; more than needed has no use."""


class _Kept(Struct):
    """A process as it was read last."""

    inode: int
    """Of its folder when it was opened."""
    data: bytes
    row: StatRow | None
    fd: int = -1
    """-1 where none is kept."""


class KeptRows:
    """What `TieredScan` asks of /proc. To be used by one thread at a time."""

    def __init__(self, procfs: ProcFs, most: int | None = None) -> None:
        """With `most` no more descriptors than that are kept, else a share of what the system allows."""
        self._procfs = procfs
        self._most = most
        self._seen: dict[int, _Kept] = {}
        self._open: dict[int, int] = {}
        """The descriptors by pid, the oldest first."""
        self._inodes: Mapping[int, int] = {}
        self._room = 0
        weakref.finalize(self, _close, self._open)

    def begin(self, inodes: Mapping[int, int]) -> None:
        """A scan of those in the listing `inodes` begins: what is kept of all others is dropped."""
        gone = [pid for pid, kept in self._seen.items() if inodes.get(pid) != kept.inode]
        for pid in gone:
            self._forget(pid)
        self._inodes = inodes
        self._room = allowed(resource.getrlimit(resource.RLIMIT_NOFILE)[0]) if self._most is None else self._most

    def stat(self, pid: int, *, often: bool = True) -> StatRow | None:
        """The row of `pid`, the same object as before if nothing has changed; None if it has left or is garbage.

        `often` says that it will be read at the next scan too.
        """
        kept = self._seen.get(pid)
        if kept is not None and kept.fd >= 0:
            try:
                data = os.pread(kept.fd, ROW_BYTES, 0)
            except GONE:
                self._forget(pid)  # perhaps there is another process of this pid by now
            else:
                return _row(kept, data)
        return self._opened(pid, often=often)

    def token(self, pid: int) -> tuple[int, int] | None:
        """As ProcFs."""
        return self._procfs.token(pid)

    def close(self) -> None:
        """Drop all that is kept."""
        for pid in tuple(self._seen):
            self._forget(pid)

    def _opened(self, pid: int, *, often: bool) -> StatRow | None:
        try:
            fd = os.open(f"{self._procfs.root}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except GONE:
            self._forget(pid)
            return None
        keeping = False
        try:
            data = os.read(fd, ROW_BYTES)
            kept = self._seen.get(pid)
            if kept is None:
                kept = self._seen[pid] = _Kept(self._inodes.get(pid, 0), b"", None)
            row = _row(kept, data)
            keeping = row is not None and self._keeps(pid, fd, kept, often=often)
        except GONE:
            self._forget(pid)
            return None
        finally:
            if not keeping:
                os.close(fd)
        return row

    def _keeps(self, pid: int, fd: int, kept: _Kept, *, often: bool) -> bool:
        """Keep `fd` if there is room for it; one who is read often gets the place of the oldest."""
        if len(self._open) >= (self._room if often else int(IDLE_SHARE * self._room)):
            if not often or not self._open:
                return False
            self._shut(next(iter(self._open)))
        if os.fstat(fd).st_size:  # those of /proc show none
            return False
        kept.fd = self._open[pid] = fd
        return True

    def _shut(self, pid: int) -> None:
        os.close(self._open.pop(pid))
        self._seen[pid].fd = -1

    def _forget(self, pid: int) -> None:
        if pid in self._open:
            self._shut(pid)
        self._seen.pop(pid, None)


def _close(descriptors: dict[int, int]) -> None:
    """Give back those of one that nobody has closed."""
    while descriptors:
        os.close(descriptors.popitem()[1])


def _row(kept: _Kept, data: bytes) -> StatRow | None:
    if data != kept.data:
        kept.data, kept.row = data, parse_stat(data)
    return kept.row


def allowed(soft: int) -> int:
    """How many descriptors may be kept by a process that may have `soft` of them."""
    return MOST_KEPT if soft == resource.RLIM_INFINITY else min(MOST_KEPT, int(SHARE * soft))


def raise_limit() -> None:
    """Let this process have as many files open as its hard limit allows, for a daemon that waits with epoll only."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
