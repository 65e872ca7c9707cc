"""The pipe to the surrounding `aipower-run`: how it is found, and how a message gets into it or is left out.

Nothing in here blocks, locks or raises: the program matters more than what we hear of it. So a message that finds the
pipe full is dropped and counted. That a phase has ended is the one thing that is sent later then: without it the
phase would seem to go on.
"""

from __future__ import annotations

import functools
import os
import stat
from collections import deque

from aipower.phases import message

VARIABLE = "AIPOWER_PHASES"
"""`PID:FD:INODE`: the pid of `aipower-run`, the inherited descriptor, and the pipe's inode."""
MOST_OWED = 256
"""Ends of phases that wait for room in the pipe."""
_FIELDS = 3

Identity = tuple[int, int]
"""Device and inode of an open file: the same number may be another file a moment later."""


class Channel:
    """The pipe, whichever descriptor leads to it. Safe in threads, signal handlers and forked children."""

    __slots__ = ("_descriptor", "_identity", "_inode", "_lost", "_owed", "_path", "_pid", "_told")

    def __init__(self, path: str, inode: int, descriptor: int, identity: Identity) -> None:
        self._path = path
        self._inode = inode
        self._descriptor = descriptor
        self._identity = identity
        self._pid = os.getpid()
        self._lost = self._told = 0
        self._owed: deque[bytes] = deque(maxlen=MOST_OWED)

    @property
    def lost(self) -> int:
        """How many messages were dropped so far; threads that drop at the same moment may count as one."""
        return self._lost

    def send(self, line: bytes, *, owed: bool = False) -> bool:
        """True if `line` is in the pipe, or will be as it is `owed`; False if it was dropped."""
        try:
            if self._pid != os.getpid():
                self._forget_parent()
            sent = self._settle() and self._write(line)
            if not sent:
                self._put_off(line, owed=owed)
        except Exception:  # noqa: BLE001 - as in a __del__ while the interpreter goes down, or out of memory
            return False
        return sent or owed

    def _settle(self) -> bool:
        """Send what is overdue, in its order; False if there is no room for it."""
        while self._owed:
            try:
                line = self._owed.popleft()
            except IndexError:  # another thread was faster
                break
            if not self._write(line):
                self._owed.appendleft(line)
                return False
        lost = self._lost
        if lost != self._told and self._write(message.lost(lost)):
            self._told = lost
        return lost == self._told

    def _put_off(self, line: bytes, *, owed: bool) -> None:
        if not owed or len(self._owed) == MOST_OWED:
            self._lost += 1
        if owed:
            self._owed.append(line)

    def _write(self, line: bytes) -> bool:
        """True if `line` is in the pipe. It is shorter than PIPE_BUF, so it is there as a whole or not at all."""
        descriptor = self._descriptor
        if descriptor >= 0 and _identity(descriptor) != self._identity:
            descriptor = self._open_again()
        if descriptor < 0:
            return False
        try:
            os.write(descriptor, line)
        except OSError:
            return False
        return True

    def _open_again(self) -> int:
        """Another descriptor of the pipe, after the program has closed ours; -1 for good if there is none."""
        descriptor = _open(self._path, self._inode)
        self._identity = _identity(descriptor) or (0, 0)
        self._descriptor = descriptor
        return descriptor

    def _forget_parent(self) -> None:
        """We are a forked child: what our parent has lost and owes is for it to tell."""
        self._pid = os.getpid()
        self._lost = self._told = 0
        self._owed.clear()


@functools.cache
def our_pipe() -> Channel | None:
    """The pipe to the `aipower-run` around this process, looked for once; None if there is none."""
    return find(os.environ.get(VARIABLE, ""))


def find(told: str) -> Channel | None:
    """The channel that `told` leads to: by the inherited descriptor, or else by that of `aipower-run` in /proc."""
    fields = told.split(":")
    if len(fields) != _FIELDS or not all(field.isascii() and field.isdecimal() for field in fields):
        return None
    pid, inherited, inode = map(int, fields)
    path = f"/proc/{pid}/fd/{inherited}"
    descriptor = inherited if _leads_to(inherited, inode) else _open(path, inode)
    identity = _identity(descriptor)
    return Channel(path, inode, descriptor, identity) if identity else None


def _leads_to(file: int | str, inode: int) -> bool:
    """True if `file` is the pipe `inode`."""
    try:
        status = os.stat(file)  # noqa: PTH116 - a path or a descriptor, and pathlib costs 4 ms
    except (OSError, OverflowError):
        return False
    return status.st_ino == inode and stat.S_ISFIFO(status.st_mode)


def _open(path: str, inode: int) -> int:
    """A descriptor of the pipe that no command started later inherits; -1 if there is none.

    What the path leads to is looked at before, as to open something else may have consequences, and after.
    """
    if not _leads_to(path, inode):
        return -1
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return -1
    if _leads_to(descriptor, inode):
        return descriptor
    os.close(descriptor)
    return -1


def _identity(descriptor: int) -> Identity | None:
    """What `descriptor` leads to now; None if it is closed."""
    try:
        status = os.fstat(descriptor)
    except (OSError, OverflowError):
        return None
    return status.st_dev, status.st_ino
