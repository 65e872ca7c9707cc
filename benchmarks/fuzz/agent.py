"""An agent of its own for a fuzzer, with simulated sensors."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_S = 60.0


@dataclass(frozen=True, slots=True)
class Agent:
    """A running one."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def socket(self) -> Path:
        """Where it listens for runs."""
        return self.folder / "agent.sock"

    def alive(self) -> bool:
        return self.process.poll() is None

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def address(self) -> str:
        """Where it serves its pages."""
        return self.log().split("serves http://")[1].split("/")[0]

    def cost(self) -> str:
        """Its memory, descriptors and threads."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        rows = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        descriptors = len(os.listdir(f"/proc/{self.process.pid}/fd"))  # noqa: PTH208 - only their number
        return f"{rows['VmRSS'].strip()}, {descriptors} descriptors, {rows['Threads']} threads"


@contextmanager
def agent(folder: Path, *flags: str) -> Iterator[Agent]:
    """An agent that is ended with the block, by its pid."""
    argv = [sys.executable, "-m", "aipower", "agent", "--listen", "127.0.0.1:0", "--sensors", "fake:2"]
    argv += ["--socket", str(folder / "agent.sock"), "--state-dir", str(folder / "state"), *flags]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stderr=log)
    running = Agent(process, folder)
    try:
        deadline_s = time.monotonic() + START_S
        while "serves http://" not in running.log() or not running.socket.exists():
            if not running.alive() or time.monotonic() > deadline_s:
                raise SystemExit(f"the agent does not start:\n{running.log()}")
            time.sleep(0.05)
        yield running
    finally:
        process.terminate()
        process.wait(START_S)
