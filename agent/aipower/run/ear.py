"""The pipe by which the command's programs tell of their phases, see aipower.phases."""

from __future__ import annotations

import os

from aipower.imports.lean import suppress

VARIABLE = "AIPOWER_PHASES"
"""That of aipower.phases.channel, which would cost 15 ms to import."""
LEAST_DESCRIPTOR = 60
"""Scripts use the lowest numbers for their own ends."""
_F_DUPFD_CLOEXEC, _F_SETPIPE_SZ = 1030, 1031
"""Of linux/fcntl.h; the module `fcntl` has no name for the second before Python 3.10."""
ROOM_BYTES = 1 << 20
"""The most that an ordinary user may have: room for a second of 20,000 messages."""
_CHUNK = 1 << 16
MAX_AT_ONCE = 1 << 20


class Ear:
    """Both ends of the pipe. The command gets the one to write; ours of it stays open, for those that have lost it."""

    __slots__ = ("_inode", "_reader", "_writer")

    def __init__(self, reader: int, writer: int) -> None:
        self._reader, self._writer = reader, writer
        self._inode = os.fstat(writer).st_ino

    @property
    def descriptors(self) -> frozenset[int]:
        """What the command inherits."""
        return frozenset((self._writer,))

    @property
    def environment(self) -> dict[str, str]:
        """What the command is told."""
        return {VARIABLE: f"{os.getpid()}:{self._writer}:{self._inode}"}

    def fileno(self) -> int:
        """The end to read, for select."""
        return self._reader

    def read(self) -> bytes:
        """What was told since the last call; no more than `MAX_AT_ONCE`."""
        found = b""
        with suppress(OSError):
            while len(found) < MAX_AT_ONCE and (chunk := os.read(self._reader, _CHUNK)):
                found += chunk
        return found


def open_ear() -> Ear | None:
    """A pipe; None where the system refuses one: the command then runs without."""
    import fcntl  # noqa: PLC0415 - not all that import this module open one

    opened: list[int] = []
    try:
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        opened += [reader, writer]
        # Open for both: who writes after our end gets no SIGPIPE, which might kill a program that never asked for us.
        both = os.open(f"/proc/self/fd/{writer}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        opened.append(both)
        high = fcntl.fcntl(both, _F_DUPFD_CLOEXEC, LEAST_DESCRIPTOR)
        opened = [reader, high]
        os.close(both)
        os.close(writer)
        os.set_inheritable(high, True)
    except OSError:
        for descriptor in opened:
            with suppress(OSError):
                os.close(descriptor)
        return None
    with suppress(OSError):
        fcntl.fcntl(high, _F_SETPIPE_SZ, ROOM_BYTES)
    return Ear(reader, high)
