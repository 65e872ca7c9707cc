"""Reads where processes stand, from /proc: two small files a process, and the same groups are understood once."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from msgspec.structs import replace

from aipower.model import Place
from aipower.owners import slurm
from aipower.owners.cgroup import place_of_cgroup
from aipower.owners.environ import Claims, Entries, claims_of, entries_of, joined

MOST_BYTES = 65536
"""Of each file; what is beyond is not read."""
GROUPS_REMEMBERED = 2048
"""Control groups whose place is kept: more than a busy node has."""


class PlaceReader:
    """Where the processes below one /proc stand. To be used by one thread at a time."""

    def __init__(
        self, root: Path = Path("/proc"), *, environment: bool, node_names: frozenset[str] | None = None
    ) -> None:
        """A reader of `root`.

        Args:
            root: Where /proc is mounted.
            environment: Whether environments are read too, of those processes where the kernel lets us.
            node_names: The machine's names, see `aipower.owners.environ.joined`; None for this system's host name.
        """
        self._root = os.fspath(root)
        self._environment = environment
        self._node_names = frozenset({os.uname().nodename}) if node_names is None else node_names
        self._understood = lru_cache(GROUPS_REMEMBERED)(self._understand)
        self._numbers: dict[str, str] = {}

    def read(self, pid: int) -> Place:
        """The place of `pid`; an empty one where it has left or is hidden from us. Never raises."""
        entries = entries_of(self._bytes(pid, "environ", b"\0")) if self._environment else ()
        place, claims = self._understood(self._bytes(pid, "cgroup", b"\n"), entries)
        return self._numbered(place, claims) if slurm.is_sluid(place.owner.job) else place

    def _understand(self, cgroup: bytes, entries: Entries) -> tuple[Place, Claims]:
        claims = claims_of(entries)
        return joined(place_of_cgroup(cgroup.decode(errors="replace")), claims, self._node_names), claims

    def _numbered(self, place: Place, claims: Claims) -> Place:
        """The job by its number where one of its processes has said it: the first one's word counts for all."""
        sluid = place.owner.job
        number = self._numbers.get(sluid) or claims.slurm_job
        if not number:
            return place
        self._numbers[sluid] = number
        if len(self._numbers) > GROUPS_REMEMBERED:
            del self._numbers[next(iter(self._numbers))]
        return replace(place, owner=replace(place.owner, job=number))

    def _bytes(self, pid: int, name: str, end: bytes) -> bytes:
        """The whole entries, which `end` ends, in the file's beginning: the kernel gives it in one read."""
        try:
            fd = os.open(f"{self._root}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            block = os.read(fd, MOST_BYTES)
        except OSError:
            return b""
        finally:
            os.close(fd)
        return block if len(block) < MOST_BYTES else block.rpartition(end)[0]
