"""The journal's files: two slots, a lock, and what was kept aside. Everything that touches the file system is here."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from aipower.journal.slots import MAX_PAYLOAD_BYTES
from aipower.journal.troubles import JournalError, of_os

SLOTS: tuple[str, str] = ("counters.0", "counters.1")
LOCK = "lock"
_MOST_BYTES = MAX_PAYLOAD_BYTES + 4096
_SAFE = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""Without O_NONBLOCK the open of a pipe that somebody put there would wait for ever."""


class Disk(Protocol):
    """How bytes get to the disk; a seam for tests."""

    def write(self, descriptor: int, data: bytes, offset: int) -> int:
        """Write at `offset`; how many bytes were taken.

        Raises:
            OSError: As os.pwrite.
        """
        ...

    def sync(self, descriptor: int) -> None:
        """Return once what was written is on the disk. It may take for ever.

        Raises:
            OSError: As os.fdatasync.
        """
        ...


class SystemDisk(Struct, frozen=True):
    """The real one."""

    def write(self, descriptor: int, data: bytes, offset: int) -> int:
        """Write at `offset`; how many bytes were taken."""
        return os.pwrite(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        """Return once what was written is on the disk."""
        os.fdatasync(descriptor)


class Folder:
    """The files of one journal. It opens them when they are needed, and anew after any trouble."""

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self.path = path
        self._disk = disk or SystemDisk()
        self._lock: int | None = None
        self._slots: dict[str, int] = {}

    def lock(self) -> None:
        """Make the folder and hold its lock until `close`. Does nothing while it is held and can be seen.

        Raises:
            JournalError: It cannot be made, or another process holds the lock.
        """
        if self._lock is not None and os.fstat(self._lock).st_nlink:
            return
        self.close()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | _SAFE, 0o600)
        except OSError as error:
            raise of_os(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            busy = isinstance(error, BlockingIOError)
            raise (JournalError("locked", "the lock is held") if busy else of_os(error)) from error
        self._lock = descriptor

    def read(self, name: str) -> bytes:
        """The bytes of a file, no more than a slot can have; none where there is no such file.

        Raises:
            JournalError: It cannot be read.
        """
        try:
            descriptor = os.open(self.path / name, os.O_RDONLY | _SAFE)
        except (FileNotFoundError, NotADirectoryError):
            return b""
        except OSError as error:
            raise JournalError("unreadable", str(error)) from error
        try:
            _must_be_file(descriptor, name)
            return _read_all(descriptor)
        except OSError as error:
            raise JournalError("unreadable", str(error)) from error
        finally:
            os.close(descriptor)

    def write(self, name: str, data: bytes) -> None:
        """Write `data` at the beginning of a file, in place, and wait until it is on the disk.

        Raises:
            JournalError: That failed; what the file holds now is unknown.
        """
        self.lock()
        try:
            self._reopen_what_was_removed()
            self._write(self._slot(name), memoryview(data))
        except OSError as error:
            self._close_slots()
            raise of_os(error) from error

    def keep_aside(self, name: str, reason: str) -> None:
        """Give a file another name, from which nothing is read; what had that name is gone.

        Raises:
            JournalError: That failed.
        """
        self.lock()
        self._close_slots()
        try:
            with contextlib.suppress(FileNotFoundError):
                (self.path / name).rename(self.path / f"{name}.{reason}")
            self._sync_folder()
        except OSError as error:
            raise of_os(error) from error

    def close(self) -> None:
        """Give the lock back. Safe to call twice."""
        self._close_slots()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _write(self, descriptor: int, data: memoryview) -> None:
        done = 0
        while done < len(data):
            # A short count is what a full disk gives first; the next write tells why.
            done += self._disk.write(descriptor, bytes(data[done:]), done)
        if os.fstat(descriptor).st_size > len(data):
            os.ftruncate(descriptor, len(data))
        self._disk.sync(descriptor)

    def _slot(self, name: str) -> int:
        descriptor = self._slots.get(name)
        if descriptor is None:
            descriptor = os.open(self.path / name, os.O_RDWR | os.O_CREAT | _SAFE, 0o600)
            self._slots[name] = descriptor
            _must_be_file(descriptor, name)
            self._sync_folder()
        return descriptor

    def _reopen_what_was_removed(self) -> None:
        """A file that somebody has removed takes writes for ever, and nobody can read them."""
        if any(os.fstat(descriptor).st_nlink == 0 for descriptor in self._slots.values()):
            self._close_slots()

    def _sync_folder(self) -> None:
        """A new name is only on the disk once its folder is."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _close_slots(self) -> None:
        slots, self._slots = self._slots, {}
        for descriptor in slots.values():
            os.close(descriptor)


def _must_be_file(descriptor: int, name: str) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, f"{name} is no file")


def _read_all(descriptor: int) -> bytes:
    data = bytearray()
    while len(data) < _MOST_BYTES and (more := os.read(descriptor, _MOST_BYTES - len(data))):
        data += more
    return bytes(data)
