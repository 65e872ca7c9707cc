"""Files of a folder that others may write to: only what is plainly a file of moderate size is ever opened."""
# ruff: noqa: PTH116 - names are joined to paths by the hundred, see aipower.store.folder

from __future__ import annotations

import contextlib
import heapq
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import Struct

from aipower.store.writing import GOING, MAX_ID, RECORD

MAX_BYTES = 8 * 2**20
"""The record of a job on 64 nodes with 8 GPUs each has half of that; decoding as much holds up the sampler for some
hundredths of a second."""
NAME = re.compile(
    rf"(?P<id>(?P<timed>\d{{8}}T\d{{6}}Z-)?[A-Za-z0-9_.-]*)({re.escape(RECORD)}|{re.escape(GOING)})",
    re.ASCII,
)
"""Names of files that may belong to a run; many times faster than is_id, for folders with very many."""


class Mark(Struct, frozen=True):
    """Which version of a file or folder there is."""

    device: int
    inode: int
    changed_ns: int
    size: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that may be missing, denied, or full of anything."""

    path: str
    owner: int | None = None
    """Files of all others are passed over; None for anybody's."""

    def mark(self) -> Mark | None:
        """The folder's version, which changes when files come and go; None where it cannot be had."""
        with contextlib.suppress(OSError, ValueError):
            return _mark(os.stat(self.path))
        return None

    def newest(self, most: int) -> list[str]:
        """The names of files of runs, the newest first by what the name says, a record before its marker."""
        try:
            with os.scandir(self.path) as entries:
                return [name for _, name in heapq.nlargest(most, _sortable(entries))]
        except (OSError, ValueError):
            return []

    def mark_of(self, name: str) -> Mark | None:
        """The version of the file `name`; None for what we do not open."""
        with contextlib.suppress(OSError, ValueError):
            found = os.lstat(f"{self.path}/{name}")
            return _mark(found) if self._is_plain(found) else None
        return None

    def read(self, name: str) -> bytes | None:
        """What is in the file `name`; None for what cannot be read, and for what we do not open."""
        # Looked at before it is opened, as opening alone does something to a device.
        if self.mark_of(name) is None:
            return None
        with contextlib.suppress(OSError, ValueError):
            return self._content(f"{self.path}/{name}")
        return None

    def _content(self, path: str) -> bytes | None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            # And again: another file may have taken its place.
            if not self._is_plain(os.fstat(descriptor)):
                return None
            content = file.read(MAX_BYTES + 1)
            return content if len(content) <= MAX_BYTES else None

    def _is_plain(self, found: os.stat_result) -> bool:
        ours = self.owner is None or found.st_uid == self.owner
        return ours and stat.S_ISREG(found.st_mode) and found.st_size <= MAX_BYTES


def tells_when(name: str) -> bool | None:
    """Whether the file's name says when its run began; None for a file of no run."""
    found = NAME.fullmatch(name)
    if not found or not 0 < len(found["id"]) <= MAX_ID or name.startswith("."):
        return None
    return found["timed"] is not None


def _sortable(entries: Iterator[os.DirEntry[str]]) -> Iterator[tuple[bool, str]]:
    """Names that say when are newer than those that do not: nobody knows about these."""
    for entry in entries:
        timed = tells_when(entry.name)
        if timed is not None:
            yield timed, entry.name


def _mark(found: os.stat_result) -> Mark:
    return Mark(found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
