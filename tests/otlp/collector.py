"""A real OpenTelemetry collector: Rotel, written in Rust by others, whose program comes in a wheel of PyPI.

It takes OTLP, decodes it, and sends what it understood on, as OTLP again, to a receiver that reads it with the
messages that OpenTelemetry publishes.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.server import free_port, stop
from otlp import reading
from otlp.reading import Read, Series
from remote_write.receiver import Receiver, receiver

DEADLINE_S = 60.0
STARTS = 3


def program() -> Path:
    """The collector's program; CI must have it."""
    spec = importlib.util.find_spec("rotel")
    path = Path(spec.origin).with_name("rotel-agent") if spec and spec.origin else None
    if path is not None and path.exists():
        return path
    if os.environ.get("CI"):
        pytest.fail("rotel is not installed, and CI must have it: pip install rotel")
    pytest.skip("rotel is not installed: pip install rotel")


@dataclass(frozen=True)
class Collector:
    """A running collector."""

    url: str
    behind: Receiver
    log: Path

    def taken(self, number: int) -> dict[Series, Read]:
        """The points that it sent on, as soon as there are `number`; from then on it has sent none."""
        end = time.monotonic() + DEADLINE_S
        while True:
            found = self._found()
            if len(found) >= number or time.monotonic() > end:
                self.behind.bodies.clear()
                return found
            time.sleep(0.02)

    def resources(self) -> list[dict[str, str]]:
        """The resources of what it sent on."""
        return [
            one for body in self.behind.bodies for one in reading.resources(reading.request(gzip.decompress(body)))
        ]

    def _found(self) -> dict[Series, Read]:
        found: dict[Series, Read] = {}
        for body in list(self.behind.bodies):
            found |= reading.points(reading.request(gzip.decompress(body)))
        return found


@contextlib.contextmanager
def collector(folder: Path) -> Iterator[Collector]:
    """A collector that ends with the block."""
    with receiver() as behind:
        for _ in range(STARTS):
            port = free_port()
            with (folder / "log").open("wb") as log:
                process = subprocess.Popen(_command(port, behind.url), stdout=log, stderr=log, cwd=folder)
            try:
                if _listens(process, port):
                    yield Collector(f"http://127.0.0.1:{port}", behind, folder / "log")
                    return
            finally:
                stop(process)
    pytest.fail((folder / "log").read_text(encoding="utf-8", errors="replace"))


def _command(port: int, behind: str) -> list[str]:
    return [
        str(program()), "start",
        f"--otlp-http-endpoint=127.0.0.1:{port}",
        f"--otlp-grpc-endpoint=127.0.0.1:{free_port()}",
        "--exporter=otlp", "--otlp-exporter-protocol=http", f"--otlp-exporter-endpoint={behind}",
        "--batch-timeout=50ms", "--debug-log=metrics",
    ]  # fmt: skip


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        time.sleep(0.02)
    return False
