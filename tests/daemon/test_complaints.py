"""A service that has no file descriptor left says so in one line."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from aipower.daemon.serving.complaints import QUIET_S, Complaints


def full() -> dict[str, object]:
    return {"message": "socket.accept() out of system resource", "exception": OSError(errno.EMFILE, "Too many")}


def test_the_flood_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = {"s": 0.0}
    complaints = Complaints(lambda: now["s"])
    loop = asyncio.new_event_loop()
    try:
        for _ in range(1000):
            complaints(loop, full())
        assert len(caplog.records) == 1
        now["s"] = QUIET_S
        complaints(loop, full())
        assert len(caplog.records) == 2
        assert "Too many" in caplog.text
    finally:
        loop.close()


def test_all_else_is_told_in_full(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints(lambda: 0.0)
    loop = asyncio.new_event_loop()
    try:
        for error in (ZeroDivisionError("a bug"), OSError(errno.EPIPE, "gone")):
            complaints(loop, {"message": "task failed", "exception": error})
        complaints(loop, {"message": "no exception at all"})
    finally:
        loop.close()
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3
    assert caplog.records[0].exc_info


CHILD = """
import logging, resource, sys, threading
sys.path.insert(0, sys.argv[1])
logging.basicConfig(level=logging.INFO)
from daemon.services import service
running = service()
running.start()
resource.setrlimit(resource.RLIMIT_NOFILE, (24, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
print(running.address.port, flush=True)
sys.stdin.readline()
running.stop()
"""


def test_a_real_service_without_descriptors_is_quiet(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tests = str(Path(__file__).parents[1])
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 100
    with log.open("w") as errors:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, tests],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    assert child.stdin is not None
    assert child.stdout is not None
    connections = []
    try:
        port = int(child.stdout.readline())
        connections = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(40)]
        deadline_s = time.monotonic() + 60
        while "cannot take more connections" not in log.read_text():
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        began_s = time.monotonic()
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=30).text == "hello\n"
        # By itself a silent client would leave after ten seconds.
        assert time.monotonic() - began_s < 5, "a silent client has left its descriptor"
    finally:
        for connection in connections:
            connection.close()
        child.communicate("\n", timeout=60)
    text = log.read_text()
    assert text.count("cannot take more connections") == 1
    assert "Traceback" not in text
