"""Runs an ASGI application in a background thread, on a socket that is bound before the thread starts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from aipower.daemon.complaints import Complaints
from aipower.daemon.listener import BACKLOG, open_listener
from aipower.errors import AipowerError
from aipower.settings.address import Address

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 2.0
DATE_HEADER_PERIOD_S = 1.0
"""Uvicorn writes the Date header anew in each tick; it has whole seconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may cost."""

    connections: int = 64
    """At once; the next ones are answered 503."""
    keep_alive_s: int = 5
    """An idle connection is closed after this; one that never sends a whole request, after twice this."""
    header_bytes: int = 16 * 1024


class HttpService:
    """Serves `app` at `host:port` from `start` to `stop`."""

    def __init__(self, app: ASGIApp, host: str, port: int, limits: Limits | None = None) -> None:
        self._app = app
        self._address = Address(host, port)
        self._limits = limits or Limits()
        self._running: _Running | None = None

    @property
    def address(self) -> Address:
        """Where it listens; while it runs, with the real port where 0 was asked for."""
        return self._running.address if self._running else self._address

    def start(self) -> None:
        """Return once requests are answered. Does nothing if it runs already.

        Raises:
            AipowerError: It cannot listen there, with the reason and the remedy in one line.
        """
        if self._running:
            return
        listener = open_listener(self._address)
        address = Address(self._address.host, listener.getsockname()[1])
        running = _Running(_uvicorn_config(self._app, self._limits), address, listener)
        running.start()
        self._running = running

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

    def __init__(self, config: uvicorn.Config, address: Address, listener: socket.socket) -> None:
        super().__init__(config)
        self.address = address
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

    def stop(self) -> None:
        """End the thread, or leave it to the end of the process if it hangs."""
        self.should_exit = True
        if self._loop:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the thread has ended by itself
                self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(STOP_TIMEOUT_S)
        self.force_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn; tells `start` when it is done."""
        await super().startup(sockets)
        self._loop = loop = asyncio.get_running_loop()
        loop.set_exception_handler(Complaints(loop.time))
        self._answering.set()

    async def main_loop(self) -> None:
        """Called by uvicorn, whose own loop wakes ten times a second: a third of the agent's whole CPU budget."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leave.wait(), DATE_HEADER_PERIOD_S)

    def _serve_all(self) -> None:
        try:
            self.run(sockets=[self._listener])
        finally:
            self._listener.close()
            self._answering.set()


class _Protocol(H11Protocol):
    """Uvicorn's HTTP/1.1 with an end to clients that connect and never send a whole request.

    Uvicorn's own keep-alive timer starts after the first answer and stops at the next byte, so that a few
    silent connections would hold all places for ever.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._be_patient()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._be_patient()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_patience()

    def _be_patient(self) -> None:
        self._stop_patience()
        if not self.transport.is_closing():
            self._patience = self.loop.call_later(2 * self.timeout_keep_alive, self._give_up)

    def _stop_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()

    def _give_up(self) -> None:
        # A request that is being answered may take as long as it needs: a live page streams for hours.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


def _uvicorn_config(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        # Below error, every stranger who sends rubbish would write a line into the log.
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=limits.connections,
        timeout_keep_alive=limits.keep_alive_s,
        timeout_graceful_shutdown=1,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=limits.header_bytes,
    )
