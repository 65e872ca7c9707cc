"""Tells systemd how the service is: datagrams to the socket that it names, as sd_notify(3) describes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Self

READY, STOPPING, WATCHDOG, RELOADING = "READY=1", "STOPPING=1", "WATCHDOG=1", "RELOADING=1"
MAX_STATUS_CHARS = 200
MAX_DIGITS = 20
"""Of 64 bits."""


class Notifier:
    """Sends to the socket at `path`; with an empty path to nobody. It never waits and never fails."""

    def __init__(self, path: str) -> None:
        self._address = f"\0{path[1:]}" if path.startswith("@") else path
        self._socket: socket.socket | None = None
        if path.startswith(("/", "@")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    @property
    def heard(self) -> bool:
        """True where somebody may listen."""
        return self._socket is not None

    def send(self, *assignments: str) -> None:
        """Send the assignments in one datagram; what cannot be sent at once is lost."""
        if self._socket is not None:
            # Nothing that systemd does may break the agent: it may be restarting, and its queue may be full.
            with contextlib.suppress(OSError, ValueError):
                self._socket.sendto("\n".join(assignments).encode(errors="replace"), self._address)

    def close(self) -> None:
        """Send nothing more. Safe to call twice."""
        closing, self._socket = self._socket, None
        if closing is not None:
            closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def status(text: str) -> str:
    """The assignment of a line for people: `systemctl status` shows it."""
    line = "".join(char if char.isprintable() else "?" for char in text)
    return f"STATUS={line[:MAX_STATUS_CHARS]}"


def reloading(now_s: float) -> tuple[str, str]:
    """What is sent before a reload; `now_s` is monotonic, systemd 253 tells by it which reload is meant."""
    return RELOADING, f"MONOTONIC_USEC={int(now_s * 1e6)}"


def watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """After how many seconds without a sign of life systemd ends the process `pid`; None where it never does."""
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    usable = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and int(text) > 0
    return int(text) / 1e6 if usable else None
