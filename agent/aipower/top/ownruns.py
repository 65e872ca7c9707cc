"""Which processes belong to runs of `aipower-run` that go on: by the markers in the user's store of runs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from aipower.errors import AipowerError
from aipower.model import ProcessId, ProcessInfo
from aipower.processes.procfs import ProcFs
from aipower.store.folder import read_bytes
from aipower.store.going import Marker, read_marker, state_of, this_machine
from aipower.store.writing import GOING, home_of, runs_folder

MOST_GENERATIONS = 64
"""No chain of parents is followed further."""


class OwnRuns:
    """Names the run of a process. A process is looked up once, and again when other runs go."""

    def __init__(self, environ: Mapping[str, str], procfs: ProcFs | None = None) -> None:
        self._folder = _folder(environ)
        self._procfs = procfs or ProcFs()
        self._here = this_machine()
        self._runs: Mapping[int, str] = {}
        self._known: dict[ProcessId, str] = {}

    def refresh(self) -> None:
        """Look which runs go now."""
        runs = {marker.pid: marker.name or marker.run_id for marker in self._markers()}
        if runs != self._runs:
            self._runs, self._known = runs, {}

    def of(self, info: ProcessInfo) -> str:
        """The name of its run, or the run's id where that has none; empty where it belongs to none."""
        if not self._runs:
            return ""
        name = self._known.get(info.id)
        if name is None:
            name = self._known[info.id] = self._find(info.id.pid)
        return name

    def keep_only(self, processes: frozenset[ProcessId]) -> None:
        """Forget the others."""
        self._known = {process: known for process, known in self._known.items() if process in processes}

    def _find(self, pid: int) -> str:
        """`aipower-run` itself is not part of its run."""
        for _ in range(MOST_GENERATIONS):
            row = self._procfs.stat(pid)
            if row is None or row.ppid <= 1:
                return ""
            pid = row.ppid
            if pid in self._runs:
                return self._runs[pid]
        return ""

    def _markers(self) -> list[Marker]:
        """Of the runs that go on here; one that leaves meanwhile, or is garbage, is none."""
        try:
            names = os.listdir(self._folder) if self._folder else []  # noqa: PTH208 - there may be 10,000 records
        except OSError:
            return []
        found: list[Marker] = []
        for name in names:
            if not name.endswith(GOING):
                continue
            try:
                marker = read_marker(read_bytes(f"{self._folder}/{name}"))
            except OSError:
                continue
            if marker is not None and state_of(marker, self._here) == "running":
                found.append(marker)
        return found


def _folder(environ: Mapping[str, str]) -> str:
    try:
        return runs_folder(environ, home_of(environ))
    except AipowerError:
        return ""
