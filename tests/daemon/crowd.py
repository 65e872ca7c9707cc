"""Hundreds of clients that do everything a client should not, and a service in a process of its own to bear them."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

HERE = Path(__file__).parent
DEADLINE_S = 60.0
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Child:
    """The service."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def figures(self) -> tuple[int, int]:
        """Its descriptors and resident bytes now."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        descriptors, resident = self.process.stdout.readline().split()
        return int(descriptors), int(resident)

    def until_freed(self, descriptors: int) -> None:
        """Return once it has no more than so many."""
        end_s = time.monotonic() + DEADLINE_S
        while self.figures()[0] > descriptors:
            assert time.monotonic() < end_s, self.figures()
            time.sleep(0.1)


@contextlib.contextmanager
def child(folder: Path, page_bytes: int, web_config: Path | None = None) -> Iterator[Child]:
    """A service whose page has so many bytes."""
    log = folder / "service.log"
    argv = [
        sys.executable,
        str(HERE / "service_child.py"),
        str(page_bytes),
        *([str(web_config)] if web_config else []),
    ]
    with log.open("w") as errors:
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ}
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        yield Child(process, int(line), log)
    finally:
        process.communicate(timeout=DEADLINE_S)


@dataclass(slots=True)
class Pest:
    """One bad client: sends `first` and then `drip` each second, over TLS where it has a `context`; never reads."""

    first: bytes
    drip: bytes = b""
    context: ssl.SSLContext | None = None
    connection: socket.socket | None = None

    def bother(self, port: int) -> None:
        """Connect again where it has been cut off, or send what is next."""
        try:
            if self.connection is None:
                self._connect(port)
            elif self.drip:
                self.connection.send(self.drip)
            elif self.context is None and self.connection.recv(1, socket.MSG_PEEK) == b"":
                self.leave()
        except BlockingIOError:
            pass
        except OSError:
            self.leave()

    def leave(self) -> None:
        """Go."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _connect(self, port: int) -> None:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(DEADLINE_S)
        self.connection = connection
        connection.connect(("127.0.0.1", port))
        if self.context:
            self.connection = self.context.wrap_socket(connection, server_hostname="localhost")
        self.connection.sendall(self.first)
        if not self.context:
            self.connection.setblocking(False)


@dataclass
class Crowd:
    """Bothers the service at `port` from a thread until it is left."""

    port: int
    pests: list[Pest]
    complete: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._bother, daemon=True)
        self._thread.start()
        assert self.complete.wait(DEADLINE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._thread is not None
        self._thread.join(DEADLINE_S)
        for pest in self.pests:
            pest.leave()

    def _bother(self) -> None:
        while not self._over.is_set():
            for pest in self.pests:
                pest.bother(self.port)
            self.complete.set()
            self._over.wait(1)
