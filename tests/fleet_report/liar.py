"""A server that answers what it is told to, over real sockets."""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    """How long it claims to be."""
    waits: bool = False
    """It does not come before the server ends."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    fields: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """By their names in small letters."""


@dataclass(slots=True)
class Liar:
    """What was asked, and what is answered."""

    reply: Reply
    asked: list[Asked] = field(default_factory=list)
    url: str = ""


def success(result: object, **more: object) -> Reply:
    """A vector, or a matrix."""
    kind = "vector"
    data = {"resultType": kind, "result": result}
    return Reply(body=json.dumps({"status": "success", "data": data, **more}).encode())


def failure(status: int, message: str, key: str = "error") -> Reply:
    """As Prometheus says no."""
    return Reply(status, json.dumps({"status": "error", "errorType": "x", key: message}).encode())


@contextlib.contextmanager
def liar(reply: Reply) -> Iterator[Liar]:
    """A server that gives `reply` to everybody."""
    state, over = Liar(reply), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET", "")

        def do_POST(self) -> None:
            self._answer("POST", self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, method: str, form: str) -> None:
            parts = urllib.parse.urlsplit(self.path)
            fields = urllib.parse.parse_qs(form or parts.query)
            state.asked.append(
                Asked(method, parts.path, fields, {name.lower(): value for name, value in self.headers.items()})
            )
            told = state.reply
            if told.waits:
                over.wait(SECONDS)
                return
            self.send_response(told.status)
            self.send_header("Content-Type", told.kind)
            self.send_header("Content-Length", str(len(told.body) if told.promised is None else told.promised))
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(told.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield state
        finally:
            over.set()
            server.shutdown()
            thread.join()
