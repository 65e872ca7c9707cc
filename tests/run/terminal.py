"""Puts a command on a terminal of its own: the test holds the other side."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from run.helpers import LIMIT_S, eventually

TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A pseudo-terminal and the session leader on it."""

    def __init__(self, argv: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.master, slave = pty.openpty()
        self.seen = b""
        self.leader = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *argv],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, cwd=folder, env=env,
        )  # fmt: skip
        os.close(slave)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def expect(self, text: bytes) -> None:
        """Read until `text` has been shown."""
        deadline_s = time.monotonic() + LIMIT_S
        while text not in self.seen:
            assert time.monotonic() < deadline_s, f"never saw {text!r} in {self.seen!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536)

    def foreground(self, group: int) -> None:
        """Wait until the process group `group` has the terminal."""
        eventually(lambda: os.tcgetpgrp(self.master) == group, f"group {group} in the foreground")

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def code(self) -> int:
        return self.leader.wait(LIMIT_S)

    def close(self) -> None:
        if self.leader.poll() is None:
            for pid in session_members(self.leader.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.leader.wait(LIMIT_S)
        if self.master >= 0:
            self.hang_up()


def session_members(leader: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(int(entry.name)) == leader:
                    yield int(entry.name)
