"""Sees of many processes with one system call that they still live.

The kernel hands out descriptors of processes (pidfd_open(2), Linux 5.3). One becomes readable when its process ends,
also while nobody has waited for that, and until then no other process can have the pid. An epoll over all of them
answers at once, however many there are, as long as nobody ends.
"""

from __future__ import annotations

import errno
import os
import resource
import select
import weakref
from collections.abc import Callable

from aipower.processes.procfs import ProcFs

MOST_WATCHED = 1024
SHARE = 0.125
"""Of the descriptors that this process may have."""
_NEVER = frozenset({errno.ENOSYS, errno.EPERM})
"""The kernel is too old, or somebody forbids it."""


def _pidfd_open(pid: int) -> int:
    """As of `os`, where Python was built with it.

    Raises:
        OSError: There is no such process, or no such call.
    """
    if not hasattr(os, "pidfd_open"):
        raise OSError(errno.ENOSYS, "pidfd_open")
    return os.pidfd_open(pid)


class Watch:
    """Who of those that were added has ended. To be used by one thread at a time."""

    def __init__(self, procfs: ProcFs, most: int | None = None, *, open_: Callable[[int], int] = _pidfd_open) -> None:
        """A watch over processes of `procfs`, of `most` at once, else of a share of what the system allows.

        `open_` gives a descriptor of a process.
        """
        self._procfs = procfs
        self._open = open_
        self._most = most
        self._able: bool | None = None
        self._epoll: select.epoll | None = None
        self._fds: dict[int, int] = {}
        """The descriptors by pid."""
        self._pids: dict[int, int] = {}
        """The other way round."""
        weakref.finalize(self, _close, self._fds)

    def __contains__(self, pid: int) -> bool:
        """True for a pid that is watched."""
        return pid in self._fds

    def pids(self) -> tuple[int, ...]:
        """All that are watched."""
        return tuple(self._fds)

    def add(self, pid: int) -> bool:
        """Watch the process that has `pid` now; False where there is none, no room, or no way to do so."""
        if self._able is None:
            self._able = _sees_our_pids(self._procfs)
        if not self._able or pid in self._fds or len(self._fds) >= self._room():
            return False
        try:
            fd = self._open(pid)
        except OSError as error:
            self._able = error.errno not in _NEVER
            return False
        return self._registered(pid, fd)

    def drop(self, pid: int) -> None:
        """Watch `pid` no more, if it is watched."""
        fd = self._fds.pop(pid, None)
        if fd is not None and self._epoll is not None:
            del self._pids[fd]
            self._epoll.unregister(fd)
            os.close(fd)

    def ended(self) -> list[int]:
        """Those that have ended since the last call; they are dropped. All others live."""
        if self._epoll is None or not self._fds:
            return []
        pids = [self._pids[fd] for fd, _ in self._epoll.poll(0, len(self._fds))]
        for pid in pids:
            self.drop(pid)
        return pids

    def _room(self) -> int:
        if self._most is not None:
            return self._most
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return MOST_WATCHED if soft == resource.RLIM_INFINITY else min(MOST_WATCHED, int(SHARE * soft))

    def _registered(self, pid: int, fd: int) -> bool:
        try:
            self._epoll = self._epoll or select.epoll()
            self._epoll.register(fd, select.EPOLLIN)
        except OSError:
            os.close(fd)
            return False
        self._fds[pid], self._pids[fd] = fd, pid
        return True


def _sees_our_pids(procfs: ProcFs) -> bool:
    """Whether a pid of `procfs` is the same process for the kernel's calls: it is of our own PID namespace."""
    own = procfs.own_pid()
    return own is not None and own == os.getpid() and procfs.namespace_pids(own) == (own,)


def _close(descriptors: dict[int, int]) -> None:
    """Give back those of one that nobody needs any more."""
    while descriptors:
        os.close(descriptors.popitem()[1])
