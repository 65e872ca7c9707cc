"""Worlds over HTTP, and what was asked of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aipower.daemon.agent import load_exporters
from aipower.daemon.serving.http import HttpService, make_app
from live.worlds import World

LIMIT_S = 60.0
NOTED = 10_000


class Front:
    """What stands in front of an agent: it notes the path and query of each request, and may refuse all of them."""

    def __init__(self) -> None:
        self.asked: deque[str] = deque(maxlen=NOTED)
        self.refuses = False

    def of(self, app: ASGIApp) -> ASGIApp:
        """`app` behind it."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}")
            # As a proxy does whose session has run out: there is nothing that a browser would ask its reader for.
            refusal = PlainTextResponse("log in first", HTTPStatus.FORBIDDEN)
            await (refusal if self.refuses else app)(scope, receive, send)

        return answer


class Served:
    """An agent of a world that answers, until it is stopped."""

    def __init__(self, world: World, web_config: Path | None = None) -> None:
        self.world = world
        self.front = Front()
        self._web_config = web_config
        self._service = self._start(0)
        self.port = self._service.address.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **query: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", params=query, timeout=LIMIT_S)

    def stop(self) -> None:
        """Nobody answers any more."""
        self._service.stop()

    def start(self) -> None:
        """The same agent, or the one that has taken its place, answers at the same address."""
        self._service = self._start(self.port)

    def guard(self, web_config: Path | None) -> None:
        """New rules of access."""
        self._web_config = web_config
        self._service.reload(web_config)

    def polls(self) -> int:
        """How often a page has asked for news."""
        return sum(asked.startswith("/api/v1/live") for asked in tuple(self.front.asked))

    def _start(self, port: int) -> HttpService:
        agent, world = self.world.agent, self.world
        app = make_app(lambda: agent.snapshot, load_exporters(), lambda: agent.health, sites=agent.sites(world.shelf))
        service = HttpService(self.front.of(app), "127.0.0.1", port, web_config=self._web_config)
        service.start()
        return service


@contextmanager
def served(world: World) -> Iterator[Served]:
    """`world` at an address of its own."""
    running = Served(world)
    try:
        yield running
    finally:
        running.stop()
