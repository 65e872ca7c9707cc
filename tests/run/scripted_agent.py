"""An agent that measures nothing: it answers what it is told to, and keeps what it was asked."""

from __future__ import annotations

import contextlib
import json
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

RECORD, REPORT = b'{"schema": "scripted"}', "scripted report \u00e9\n".encode()
OPENED = b'{"ok": true, "run": "r1", "protocol": 1}\n'
BOOKS = json.dumps({"ok": True, "record": len(RECORD), "report": len(REPORT)}).encode() + b"\n" + RECORD + REPORT


class ScriptedAgent:
    """Answers `open` and `end` of one run after the other."""

    def __init__(self, listener: socket.socket, opened: bytes, books: bytes) -> None:
        self._listener = listener
        self._answers = {"open": opened, "start": b"", "end": books}
        self.asked: list[dict[str, Any]] = []

    def serve(self) -> None:
        """Returns when the listener has been shut down."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, connection.makefile("rb") as lines:
                    self._converse(connection, lines)

    def _converse(self, connection: socket.socket, lines: Iterator[bytes]) -> None:
        for line in lines:
            message = json.loads(line)
            self.asked.append(message)
            connection.sendall(self._answers[message["do"]])

    def said(self, do: str) -> Sequence[dict[str, Any]]:
        """What was asked with this word."""
        return [message for message in self.asked if message["do"] == do]


@contextlib.contextmanager
def scripted_agent(opened: bytes = OPENED, books: bytes = BOOKS) -> Iterator[tuple[ScriptedAgent, str]]:
    """The agent and its socket; a folder with a short name, as a socket's path may have 107 bytes."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder) / "s")
        listener.bind(path)
        listener.listen()
        agent = ScriptedAgent(listener, opened, books)
        thread = threading.Thread(target=agent.serve, daemon=True)
        thread.start()
        yield agent, path
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)
