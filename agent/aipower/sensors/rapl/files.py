"""The few system calls that the RAPL sensor makes, as a seam, and the strict reading of sysfs numbers."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

ATTRIBUTE_BYTES: Final = 64
"""More than any zone name or number: powercap prints at most 20 digits and a newline."""

_NUMBER: Final = re.compile(rb"[0-9]{1,20}\n?")
_STALE: Final = frozenset({errno.ENOENT, errno.ENXIO, errno.ENODEV})


class FileIo(Protocol):
    """Descriptors, so that tests can give the errors that only a real sysfs gives."""

    def open(self, path: Path) -> int:
        """A descriptor that reads `path`; raises OSError."""
        ...

    def pread(self, descriptor: int, size: int) -> bytes:
        """At most `size` bytes from the start of the file; raises OSError."""
        ...

    def replaced(self, descriptor: int) -> bool:
        """True if the open file has no name any more; raises OSError."""
        ...

    def close(self, descriptor: int) -> None:
        """Give the descriptor back; raises OSError."""
        ...


class SystemIo(Struct, frozen=True):
    """The real system calls."""

    def open(self, path: Path) -> int:
        """A descriptor that reads `path` and is not inherited by children; raises OSError."""
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def pread(self, descriptor: int, size: int) -> bytes:
        """At most `size` bytes from offset 0, where sysfs makes the value anew; raises OSError."""
        return os.pread(descriptor, size, 0)

    def replaced(self, descriptor: int) -> bool:
        """True if the open file has no name any more; raises OSError."""
        return os.fstat(descriptor).st_nlink == 0

    def close(self, descriptor: int) -> None:
        """Give the descriptor back; raises OSError."""
        os.close(descriptor)


def number(raw: bytes) -> int:
    """The number in a sysfs attribute.

    The kernel ends each with a newline; copies of a tree may have lost it.

    Raises:
        ValueError: `raw` is anything else than ASCII digits and perhaps a newline.
    """
    if not _NUMBER.fullmatch(raw):
        raise ValueError(f"{raw!r} is not a number")
    return int(raw)


def read_once(path: Path, io: FileIo) -> bytes:
    """The first bytes of a small attribute; b"" where it cannot be read."""
    try:
        descriptor = io.open(path)
    except OSError:
        return b""
    try:
        return io.pread(descriptor, ATTRIBUTE_BYTES)
    except OSError:
        return b""
    finally:
        io.close(descriptor)


class EnergyFile:
    """A counter's file, held open: opening costs time and needs a right that may be dropped later."""

    __slots__ = ("_closed", "_descriptor", "_io", "path")

    def __init__(self, path: Path, io: FileIo) -> None:
        self.path = path
        self._io = io
        self._descriptor: int | None = None
        self._closed = False

    def open(self) -> int:
        """The held descriptor, opened now if there is none.

        Raises:
            OSError: The file cannot be opened, or `close` was called.
        """
        if self._closed:
            raise OSError(f"{self.path} was closed")
        if self._descriptor is None:
            self._descriptor = self._io.open(self.path)
        return self._descriptor

    def read(self) -> bytes:
        """What the file says now, from one read; a descriptor that went stale is replaced once.

        Raises:
            OSError: The file cannot be opened or read.
        """
        if self._descriptor is not None and self._io.replaced(self._descriptor):
            # Not in sysfs, but a tree copied into a container may be kept up to date by renaming new files over old.
            self._release()
        descriptor = self.open()
        try:
            return self._io.pread(descriptor, ATTRIBUTE_BYTES)
        except OSError as error:
            # Any other descriptor is kept: without privileges it could not be opened a second time.
            if not stale(error):
                raise
        self._release()
        return self._io.pread(self.open(), ATTRIBUTE_BYTES)

    def close(self) -> None:
        """Free the descriptor for good. Safe to call twice."""
        self._closed = True
        self._release()

    def _release(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            self._io.close(descriptor)


def stale(error: OSError) -> bool:
    """True where the file's device is no more, which is how sysfs answers after a driver is unloaded."""
    return error.errno in _STALE
