"""Starting wrapped commands and waiting for what they do, without a fixed sleep anywhere."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

HERE = Path(__file__).parent
LIMIT_S = 60.0
MARKER = "SIGRTMIN+20"
"""The kernel hands out the lowest number first, so this one comes after all that was sent before it."""
T = TypeVar("T")


def eventually(look: Callable[[], T], what: str) -> T:
    """What `look` returns as soon as it is true; a failure after a minute."""
    deadline_s = time.monotonic() + LIMIT_S
    while not (found := look()):
        assert time.monotonic() < deadline_s, f"never came: {what}"
        time.sleep(0.005)
    return found


def appears(path: Path) -> Path:
    eventually(path.exists, path.name)
    return path


def state_of(pid: int) -> str:
    """The letter of /proc/PID/stat, or an empty string if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def reaches_state(pid: int, letters: str) -> None:
    eventually(lambda: state_of(pid) in letters.split(), f"state {letters} of {pid}, now {state_of(pid)}")


def is_alive(pid: int) -> bool:
    """Whether `pid` runs, sleeps or waits for a disk; not for a zombie, a stopped one or none at all."""
    return state_of(pid) in ("R", "S", "D")


def gone(pid: int) -> None:
    """Wait until `pid` has ended; a zombie of another parent has."""
    eventually(lambda: state_of(pid) in ("", "Z", "X"), f"end of {pid}")


def driver_argv(folder: Path, argv: Sequence[str], *flags: str) -> list[str]:
    return [sys.executable, str(HERE / "driver.py"), str(folder), *flags, "--", *argv]


def counter_argv(folder: Path, *names: str) -> list[str]:
    return [sys.executable, str(HERE / "counter.py"), str(folder), *names]


@dataclass
class Wrapped:
    """One running driver with its command."""

    folder: Path
    process: subprocess.Popen[bytes]

    def pid(self, role: str) -> int:
        """The pid of the `wrapper`, the `command` or the `witness`."""
        started: dict[str, int] = json.loads(appears(self.folder / "started.json").read_text())
        return started[role]

    def ready(self) -> None:
        appears(self.folder / "ready")

    def finish(self) -> int:
        """The exit code after the counter was told to end."""
        (self.folder / "finish").touch()
        return self.code()

    def code(self) -> int:
        return self.process.wait(LIMIT_S)

    def outcome(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "outcome.json").read_text())
        return found

    def has_outcome(self) -> bool:
        return (self.folder / "outcome.json").exists()

    def send(self, signo: int) -> None:
        """Signal the wrapper alone."""
        os.kill(self.pid("wrapper"), signo)

    def send_group(self, signo: int) -> None:
        os.killpg(os.getpgid(self.pid("wrapper")), signo)

    def counts(self) -> Counter[str]:
        return Counter((self.folder / "log").read_text().split())

    def settled(self) -> Counter[str]:
        """The counts once all that was sent before has been dealt with: a marker sent after it has come through."""
        before = self.counts()[MARKER]
        self.send(signal.SIGRTMIN + 20)
        eventually(lambda: self.counts()[MARKER] > before, "the marker")
        counts = self.counts()
        del counts[MARKER]
        return counts


@dataclass
class Stage:
    """Starts wrapped commands in process groups of their own and clears up after them."""

    root: Path
    runs: list[Wrapped] = field(default_factory=list)

    def start(self, argv: Sequence[str], *flags: str, before: Sequence[str] = (), **options: Any) -> Wrapped:
        """A driver of `argv`, itself started by the command line `before` if there is one."""
        folder = self.folder()
        return self.launch([*before, *driver_argv(folder, argv, *flags)], folder, **options)

    def count(self, *names: str, before: Sequence[str] = ()) -> Wrapped:
        """A driver of a counter of the signals `names` and of the marker."""
        folder = self.folder()
        argv = driver_argv(folder, counter_argv(folder, MARKER, *names))
        run = self.launch([*before, *argv], folder)
        run.ready()
        return run

    def run(self, argv: Sequence[str], **options: Any) -> tuple[Wrapped, bytes, bytes]:
        """A driver that has ended, and what came out of it."""
        run = self.start(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        out, err = run.process.communicate(timeout=LIMIT_S)
        return run, out, err

    def launch(
        self,
        argv: Sequence[str],
        folder: Path,
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        pass_fds: Sequence[int] = (),
    ) -> Wrapped:
        """Run `argv` in `folder` in a process group of its own; pipes to it have no buffer."""
        process = subprocess.Popen(
            argv, 0, cwd=folder, process_group=0,
            stdin=stdin, stdout=stdout, stderr=stderr, pass_fds=pass_fds,
        )  # fmt: skip
        self.runs.append(Wrapped(folder, process))
        return self.runs[-1]

    def folder(self) -> Path:
        folder = self.root / f"run{len(list(self.root.iterdir()))}"
        folder.mkdir()
        return folder

    def clear(self) -> None:
        for run in self.runs:
            (run.folder / "finish").touch()
            if run.process.poll() is None:
                for group in self.groups(run):
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(group, signal.SIGKILL)
            run.process.wait(LIMIT_S)
            for stream in (run.process.stdin, run.process.stdout, run.process.stderr):
                if stream is not None:
                    stream.close()

    def groups(self, run: Wrapped) -> set[int]:
        """Never our own group."""
        found = set()
        for pid in (run.process.pid, *self.started(run).values()):
            with contextlib.suppress(ProcessLookupError):
                found.add(os.getpgid(pid))
        return found - {os.getpgrp()}

    def started(self, run: Wrapped) -> Mapping[str, int]:
        path = run.folder / "started.json"
        return json.loads(path.read_text()) if path.exists() else {}
