"""The full command lines of one's own processes: others' may hold secrets, and are not asked for."""

from __future__ import annotations

import os
from pathlib import Path

from aipower.model import ProcessId, ProcessInfo
from aipower.processes.table import user_name

PROC = Path("/proc")
MOST_BYTES = 4096
"""Of a command line; no screen is wider."""


class CommandLines:
    """Reads each process's command line once, and again where its short name has changed."""

    def __init__(self, proc: Path = PROC, user: str | None = None) -> None:
        self._proc = proc
        self._user = user_name(os.geteuid()) if user is None else user
        self._known: dict[ProcessId, tuple[str, str]] = {}

    def of(self, info: ProcessInfo) -> str:
        """The command line, empty where it is another user's or the process has none."""
        if info.user != self._user:
            return ""
        comm, line = self._known.get(info.id, ("", ""))
        if comm != info.comm:
            line = self._read(info.id.pid)
            self._known[info.id] = (info.comm, line)
        return line

    def keep_only(self, processes: frozenset[ProcessId]) -> None:
        """Forget the others."""
        self._known = {process: known for process, known in self._known.items() if process in processes}

    def _read(self, pid: int) -> str:
        try:
            with (self._proc / str(pid) / "cmdline").open("rb") as file:
                raw = file.read(MOST_BYTES)
        except OSError:
            return ""
        return raw.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
