"""Runs an ASGI application in a background thread, on a socket that is bound before the thread starts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from aipower.daemon.serving.complaints import Complaints
from aipower.daemon.serving.listener import open_listener
from aipower.errors import AipowerError
from aipower.settings.address import Address
from aipower.web.acceptor import Acceptor
from aipower.web.access import Access
from aipower.web.door import Door
from aipower.web.guard import Guard
from aipower.web.passwords import Passwords
from aipower.web.places import Limits, Places, Visit
from aipower.web.protocol import Protocol
from aipower.web.tlslayer import TlsLayer

__all__ = ["HttpService", "Limits"]

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 2.0
ANSWER_S = 1.0
FAREWELL_TURNS = 4
"""Turns of the loop in which the ends of connections come up through TLS to the protocol."""


class HttpService:
    """Serves `app` at `host:port` from `start` to `stop`, as the file at `web_config` says (None: to everybody).

    Raises:
        UsageError: `web_config` is wrong.
    """

    def __init__(
        self, app: ASGIApp, host: str, port: int, limits: Limits | None = None, web_config: Path | None = None
    ) -> None:
        self._app = app
        self._address = Address(host, port)
        self._limits = limits or Limits()
        self._door = Door(web_config, time.monotonic)
        self._running: _Running | None = None

    @property
    def address(self) -> Address:
        """Where it listens; while it runs, with the real port where 0 was asked for."""
        return self._running.address if self._running else self._address

    @property
    def access(self) -> Access:
        """The rules of access in force."""
        return self._door.access

    @property
    def url(self) -> str:
        """The address as clients write it, without a path."""
        return f"{'https' if self._door.access.context else 'http'}://{self.address}"

    def check(self, web_config: Path | None) -> Callable[[], None]:
        """What puts the file at `web_config` (None: no rules), as it is now, in force for all that comes after.

        Raises:
            UsageError: It is wrong.
        """
        access = self._door.check(web_config)
        return lambda: self._door.put(access)

    def reload(self, web_config: Path | None) -> None:
        """Put the file at `web_config` in force, as `check` says.

        Raises:
            UsageError: It is wrong; what was in force still is.
        """
        self.check(web_config)()

    def start(self) -> None:
        """Return once requests are answered. Does nothing if it runs already.

        Raises:
            AipowerError: It cannot listen there, with the reason and the remedy in one line.
        """
        if self._running:
            return
        listener = open_listener(self._address)
        address = Address(self._address.host, listener.getsockname()[1])
        running = _Running(self._app, self._door, self._limits, address, listener)
        running.start()
        self._running = running

    def answers(self, timeout_s: float = ANSWER_S) -> bool:
        """True if the thread that serves does something within `timeout_s`."""
        return self._running is not None and self._running.answers(timeout_s)

    def stop(self) -> None:
        """Close the socket and end the thread, within about two seconds. Safe without `start` and twice."""
        running, self._running = self._running, None
        if running:
            running.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Running(uvicorn.Server):
    """A uvicorn server in a thread of its own."""

    def __init__(self, app: ASGIApp, door: Door, limits: Limits, address: Address, listener: socket.socket) -> None:
        self._passwords = Passwords()
        super().__init__(_uvicorn_config(Guard(app, door, self._passwords), limits))
        self.address = address
        self._door = door
        self._limits = limits
        self._places = Places(limits)
        self._listener = listener
        self._answering = threading.Event()
        self._leave = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # A daemon thread: a client that holds on must never keep the agent alive.
        self._thread = threading.Thread(target=self._serve_all, name="aipower-http", daemon=True)

    def start(self) -> None:
        """Return once requests are answered.

        Raises:
            AipowerError: That never comes.
        """
        self._thread.start()
        if not (self._answering.wait(START_TIMEOUT_S) and self.started):
            self.stop()
            raise AipowerError(f"the HTTP service at {self.address} did not start; see the log")

    def answers(self, timeout_s: float) -> bool:
        """True if the loop turns."""
        turned = threading.Event()
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(turned.set)
        except RuntimeError:  # it has ended
            return False
        return turned.wait(timeout_s)

    def stop(self) -> None:
        """End the thread, or leave it to the end of the process if it hangs."""
        self.should_exit = True
        if self._loop:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the thread has ended by itself
                self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(STOP_TIMEOUT_S)
        self.force_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's own argument
        """Called by uvicorn, whose own way of taking connections knows no limits; tells `start` when it is done."""
        self._loop = loop = asyncio.get_running_loop()
        complaints = Complaints(loop.time)
        loop.set_exception_handler(complaints)
        make_room = self._places.make_room
        self._acceptor = Acceptor(self._listener, self._make_protocol, make_room, complaints.exhausted)
        self.servers = []
        self.started = True
        self._answering.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn; it gives clients a second to read what is under way."""
        self._acceptor.close()
        await super().shutdown(sockets)
        self._passwords.close()
        self._places.dismiss()
        for _ in range(FAREWELL_TURNS):
            await asyncio.sleep(0)

    async def main_loop(self) -> None:
        """Called by uvicorn, whose own loop wakes ten times a second to look whether it is to end."""
        while not await self.on_tick(0):
            await self._leave.wait()

    def _make_protocol(self) -> asyncio.BaseProtocol:
        """What talks to one more client."""
        access = self._door.renew()
        loop = asyncio.get_running_loop()
        visit = Visit(self._places, loop)
        inner = Protocol(self.config, self.server_state, visit, self._limits.header_bytes, access.allowed_sans)
        if access.context is None:
            return inner
        return TlsLayer(access.context, inner, visit, loop, self._limits.request_s)

    def _serve_all(self) -> None:
        try:
            self.run(sockets=[self._listener])
        finally:
            self._listener.close()
            self._answering.set()


def _uvicorn_config(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        # Below error, every stranger who sends rubbish would write a line into the log.
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # Its date is that of its loop's last turn: the guard writes one.
        date_header=False,
        timeout_keep_alive=limits.keep_alive_s,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=limits.header_bytes,
    )
