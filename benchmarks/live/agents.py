"""Starts an agent of a world and ends it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.campaign.node import free_port
from benchmarks.live.agent import SAMPLER
from benchmarks.live.client import Client
from benchmarks.live.gauge import Reading, read

START_S = 900.0
END_S = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """An agent that answers."""

    process: subprocess.Popen[bytes]
    port: int
    sampler: int
    """The thread of the kernel that samples."""

    def used(self) -> Reading:
        """Its CPU time until now."""
        return read(self.pid, self.sampler)

    @property
    def pid(self) -> int:
        """Of its process."""
        return self.process.pid

    @property
    def url(self) -> str:
        """Of its page."""
        return f"http://127.0.0.1:{self.port}/"


@contextmanager
def running(world: str, folder: Path, past_s: float) -> Iterator[Running]:
    """An agent of `world` that has `past_s` behind it; its log is in `folder`."""
    port = free_port()
    threads = folder / f"threads-{world}.json"
    threads.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "benchmarks.live.agent", world, str(port), "--past", str(past_s)]
    argv += ["--threads", str(threads)]
    with (folder / f"agent-{world}.log").open("wb") as log:
        process = subprocess.Popen(argv, stderr=log)
    try:
        _wait(port, threads, process)
        yield Running(process, port, json.loads(threads.read_text())[SAMPLER])
    finally:
        process.terminate()
        process.wait(END_S)


def _wait(port: int, threads: Path, process: subprocess.Popen[bytes]) -> None:
    until_s = time.monotonic() + START_S
    while not (threads.exists() and _answers(port)):
        if time.monotonic() > until_s or process.poll() is not None:
            raise TimeoutError("the agent did not begin to answer; see its log")
        time.sleep(0.2)


def _answers(port: int) -> bool:
    client = Client(port)
    try:
        client.ask("snapshot", {})
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()
    return True
