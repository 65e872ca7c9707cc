"""What the tests of the sinks share: programs of Debian, servers that behave as told, and waiting."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

DEADLINE_S = 60.0
STARTS = 3

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def wait_for(fact: Callable[[], bool]) -> None:
    """Return once `fact` is true."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not fact():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def tool(name: str, package: str) -> str:
    """The path of a program of the Debian package `package`; CI must have it."""
    path = shutil.which(name)
    if path is None and os.environ.get("CI"):
        pytest.fail(f"{name} is not installed, and CI must have it: apt-get install {package}")
    if path is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return path


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def program(folder: Path, command: Callable[[int], list[str]], page: str) -> Iterator[str]:
    """The address of the program of `command(port)`, once it serves `page`; ended by its pid."""
    log = folder / "program.log"
    for _ in range(STARTS):
        port = free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(command(port), stdout=output, stderr=output, cwd=folder)
        try:
            if _serves(process, f"http://127.0.0.1:{port}{page}"):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            process.terminate()
            process.wait(DEADLINE_S)
    pytest.fail(log.read_text())


def _serves(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return True
        time.sleep(0.05)
    return False


def series_of(text: str, *, without: str = "") -> Series:
    """All samples of a page in the text format, but those whose names begin with `without`."""
    return {
        (sample.name, frozenset((name, value) for name, value in sample.labels.items() if value)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not (without and sample.name.startswith(without))
    }


@dataclass(slots=True)
class Request:
    """What a client has sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Listener:
    """A server that answers each request with `status` and `text`."""

    status: int = 200
    text: str = ""
    requests: list[Request] = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[Listener]:
    """`listener`, on a port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            listener.requests.append(Request(self.command, self.path, dict(self.headers), body))
            self.send_response(listener.status)
            if listener.status in range(300, 400):
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(listener.text.encode())

        do_POST = do_DELETE = do_GET = do_PUT  # noqa: N815 - the names in the base class

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        listener.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()
