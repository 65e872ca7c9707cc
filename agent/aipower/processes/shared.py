"""The table of processes where several threads ask: the sampler, and those that ask the GPUs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from aipower.model import Place, ProcessId, ProcessInfo
from aipower.processes.procfs import ProcFs, StatRow
from aipower.processes.table import ProcessTable, user_name
from aipower.seams import Clock, Sighting


class SharedProcessTable(ProcessTable):
    """A `ProcessTable` that answers one thread at a time: a GPU's late call may look up pids while others do.

    The lock is held for as long as /proc takes to answer, never while a driver is asked.
    """

    def __init__(
        self,
        procfs: ProcFs,
        clock: Clock,
        users: Callable[[int], str] = user_name,
        *,
        dev: Path = Path("/dev"),
        place_of: Callable[[int], Place] = lambda _: Place(),
    ) -> None:
        """As ProcessTable."""
        self._mutex = threading.RLock()  # the methods call one another
        super().__init__(procfs, clock, users, dev=dev, place_of=place_of)

    def resolve_at(self, pid: int, sampled_unix_s: float | None) -> ProcessId | None:
        """As ProcessTable; `resolve` asks here."""
        with self._mutex:
            return super().resolve_at(pid, sampled_unix_s)

    def resolve_gpus(self, sightings: Iterable[Sighting]) -> list[ProcessId | None]:
        """As ProcessTable."""
        with self._mutex:
            return super().resolve_gpus(sightings)

    def trusts(self, pid: int) -> bool:
        """As ProcessTable."""
        with self._mutex:
            return super().trusts(pid)

    def describe(self, process: ProcessId) -> ProcessInfo:
        """As ProcessTable."""
        with self._mutex:
            return super().describe(process)

    def alive(self, process: ProcessId) -> bool:
        """As ProcessTable."""
        with self._mutex:
            return super().alive(process)

    def learn(self, row: StatRow) -> ProcessId:
        """As ProcessTable."""
        with self._mutex:
            return super().learn(row)

    def observe(self, rows: Iterable[StatRow], inodes: Mapping[int, int] = MappingProxyType({})) -> None:
        """As ProcessTable."""
        rows = tuple(rows)  # whoever makes them may read /proc for a while
        with self._mutex:
            super().observe(rows, inodes)

    def known(self) -> Iterator[ProcessId]:
        """As ProcessTable, at one moment."""
        with self._mutex:
            return iter(tuple(super().known()))
