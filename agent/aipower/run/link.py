"""Our end of the agent's socket. It imports next to nothing: what it costs is added to every run.

The messages are those of aipower.daemon.runs.protocol.
"""

from __future__ import annotations

import _socket  # see aipower.run.witness
import _thread
import os

from aipower.imports.lean import suppress
from aipower.run.wire import decode, encode

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    from aipower.run.wire import Field

    T = TypeVar("T")

SOCKET_VARIABLE = "AIPOWER_SOCKET"
SYSTEM_SOCKET = "/run/aipower/agent.sock"
CONNECT_S = 0.5
"""An agent that does not answer so soon is no help."""
OPEN_S = 1.0
BOOKS_S = 10.0
MAX_NAME = 512
MAX_COMMAND_BYTES = 256 * 1024
"""A longer command line is not sent; its run is measured here."""
_CHUNK = 1 << 16
MARK_BYTES = 12_000
"""The agent has little room for a single line."""


class LinkError(Exception):
    """The agent has left, refuses or says nothing; the message is for people."""


def candidates(environ: Mapping[str, str], uid: int) -> Sequence[str]:
    """Where an agent may listen: where the variable says, else the system's, else the user's own."""
    named, runtime = environ.get(SOCKET_VARIABLE, ""), environ.get("XDG_RUNTIME_DIR", "")
    if named not in {"", "auto"}:
        return [named] if named.startswith("/") else []
    own = [f"{runtime}/aipower/agent.sock"] if uid != 0 and runtime.startswith("/") else []
    return [SYSTEM_SOCKET, *own]


def reach(environ: Mapping[str, str]) -> _socket.socket | None:
    """A connection to the first agent that listens; None where none does."""
    for path in candidates(environ, os.getuid()):
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        connection.settimeout(CONNECT_S)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
        else:
            return connection
    return None


def fits(command: Sequence[str]) -> bool:
    """True for a command line that the agent takes."""
    return sum(len(word) + 1 for word in command) <= MAX_COMMAND_BYTES


class Link:
    """The conversation about one run."""

    def __init__(self, connection: _socket.socket) -> None:
        self._connection = connection
        self._sending = _thread.allocate_lock()
        """Phases are told by another thread than the end."""
        self._received = bytearray()

    def open(self, name: str) -> None:
        """A command is about to start: the agent reads its sensors.

        Raises:
            LinkError: The agent has left.
        """
        self._send({"do": "open", "name": name[:MAX_NAME]})

    def opened(self) -> str:
        """The id of the run, for which the agent has read its sensors.

        Raises:
            LinkError: It does not want to measure one.
        """
        self._connection.settimeout(OPEN_S)
        return self._answer(lambda answer: str(answer["run"]))

    def start(self, pid: int, started_s: float, ignore: frozenset[int]) -> None:
        """The command runs. There is no answer unless the agent refuses, see `watch`.

        Raises:
            LinkError: The agent has left.
        """
        self._send({"do": "start", "pid": pid, "started_s": started_s, "ignore": sorted(ignore)})

    def watch(self, timeout_s: float | None = None) -> None:
        """Block until the agent says something: while the command runs, that is its farewell.

        Raises:
            LinkError: It has left, or says nothing within `timeout_s`.
        """
        self._connection.settimeout(timeout_s)
        self._receive_until(lambda: b"\n" in self._received)

    def fileno(self) -> int:
        """For select."""
        return self._connection.fileno()

    def mark(self, lines: bytes) -> None:
        """What the command's programs tell of their phases. There is no answer.

        Raises:
            LinkError: The agent has left.
        """
        for at in range(0, len(lines), MARK_BYTES):
            self._send({"do": "mark", "lines": lines[at : at + MARK_BYTES].decode("latin-1")})

    def ask_for_books(self, fields: Mapping[str, Field]) -> None:
        """The command has ended.

        Raises:
            LinkError: The agent has left.
        """
        self._send({"do": "end", **fields})

    def books(self) -> tuple[bytes, bytes]:
        """The record as JSON, and the report.

        Raises:
            LinkError: The agent has left or refuses.
        """
        record, report = self._answer(lambda answer: (int(answer["record"]), int(answer["report"])))
        self._receive_until(lambda: len(self._received) >= record + report)
        return bytes(self._received[:record]), bytes(self._received[record : record + report])

    def read(self, run_id: str) -> dict[str, int]:
        """What a run of ours has used so far, in microjoules by a device's label; for a connection that opens none.

        Raises:
            LinkError: The agent has left or refuses.
        """
        self._connection.settimeout(OPEN_S)
        self._send({"do": "read", "run": run_id})
        return self._answer(lambda answer: _labelled(answer["runs"][0]))

    def close(self) -> None:
        """Hang up; also wakes a thread that watches."""
        with suppress(OSError):
            self._connection.shutdown(_socket.SHUT_RDWR)
        self._connection.close()

    def _send(self, message: Mapping[str, Field]) -> None:
        try:
            with self._sending:
                self._connection.sendall(encode(message))
        except OSError as error:
            raise LinkError(f"the agent has left ({error})") from error

    def _answer(self, read: Callable[[dict[str, Any]], T]) -> T:
        """What `read` makes of the next line."""
        self._receive_until(lambda: b"\n" in self._received)
        line, _, rest = bytes(self._received).partition(b"\n")
        self._received = bytearray(rest)
        try:
            answer: Any = decode(line)
            if answer["ok"]:
                return read(answer)
            raise LinkError(f"the agent refuses: {answer['error']}")
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise LinkError("the agent's answer makes no sense") from error

    def _receive_until(self, enough: Callable[[], bool]) -> None:
        while not enough():
            try:
                chunk = self._connection.recv(_CHUNK)
            except TimeoutError as error:
                raise LinkError("the agent does not answer") from error
            except OSError as error:
                raise LinkError(f"the agent has left ({error})") from error
            if not chunk:
                raise LinkError("the agent has left")
            self._received += chunk


def _labelled(run: dict[str, Any]) -> dict[str, int]:
    """An agent that is older than we are has no labels."""
    labels = run.get("labels", {})
    return {str(labels.get(device, device)): int(energy_uj) for device, energy_uj in run["energy_uj"].items()}
