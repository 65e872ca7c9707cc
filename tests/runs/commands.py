"""Calls of the program, in this process and as a real one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from aipower.cli import main

SGR = re.compile("\x1b\\[[0-9;]*m")
PROGRAM = Path(sys.executable).parent / "aipower"


@dataclass(frozen=True, slots=True)
class Done:
    """What a call has left."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    """A user with a folder of runs."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def call(self, *words: str) -> Done:
        """`aipower WORDS`, in this process."""
        self.capture.readouterr()
        code = main(words)
        told = self.capture.readouterr()
        return Done(code, told.out, told.err)

    def program(
        self, *words: str, stdout: IO[bytes] | int = subprocess.PIPE, **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        """`aipower WORDS`, the real one, with nobody at the keyboard."""
        environ = {**os.environ, "AIPOWER_RUNS_DIR": str(self.folder), **variables}
        return subprocess.run(
            [PROGRAM, *words], env=environ, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
            timeout=60, check=False,
        )  # fmt: skip


@contextmanager
def terminal(columns: int) -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo-terminal of so many columns: ours, and the program's."""
    import fcntl  # noqa: PLC0415 - with termios, where a terminal is needed
    import struct  # noqa: PLC0415 - as above
    import termios  # noqa: PLC0415 - as above

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        yield ours, theirs
    finally:
        for descriptor in (ours, theirs):
            try:
                os.close(descriptor)
            except OSError:
                continue


def on_terminal(folder: Path, columns: int, *words: str, answer: bytes = b"", variable: str = "") -> tuple[int, str]:
    """The exit code of `aipower WORDS` on a terminal, and all that stood there."""
    base = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES", "NO_COLOR"}}
    environ = {**base, "AIPOWER_RUNS_DIR": str(folder), "TERM": "xterm"}
    name, _, value = variable.partition("=")
    if name:
        environ[name] = value
    with terminal(columns) as (ours, theirs):
        program = subprocess.Popen([PROGRAM, *words], env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        if answer:
            os.write(ours, answer)
        told = b"".join(_chunks(ours))
        code = program.wait(60)
    return code, told.decode().replace("\r\n", "\n")


def _chunks(descriptor: int) -> Iterator[bytes]:
    """Until the other end is closed, which a terminal tells by an error."""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            return
        if not chunk:
            return
        yield chunk
