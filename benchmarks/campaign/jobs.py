"""Processes that hold GPUs, of which one now and then ends and another takes its place."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

SLEEP = shutil.which("sleep") or "/bin/sleep"
NAMES = 211
"""Programs: what is learned of each must not grow with their number."""


class Jobs:
    """`count` real processes, many of them of one name; the scripted driver reads the pid of each from a file."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self.started = 0

    def __enter__(self) -> Self:
        self._folder.mkdir()
        for place in range(len(self._processes)):
            self.replace(place)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        for place in range(len(self._processes)):
            self.end(place)

    def file(self, place: int) -> Path:
        """Where the pid of a place is written."""
        return self._folder / str(place)

    def end(self, place: int) -> None:
        """Nobody is at `place` from now on."""
        process, self._processes[place] = self._processes[place], None
        if process is not None:
            process.kill()
            process.wait()

    def replace(self, place: int) -> None:
        """End who is at `place` and start another."""
        self.end(place)
        program = self._folder / f"job{self.started % NAMES}"
        if not program.exists():
            program.symlink_to(SLEEP)
        process = self._processes[place] = subprocess.Popen([program, "100000"])
        fresh = self._folder / f"{place}.new"
        fresh.write_text(f"{process.pid}\n")
        fresh.replace(self.file(place))
        self.started += 1
