"""What the agent answers over HTTP: each exporter's page, sites, its health, and an index. Only GET and HEAD."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aipower.daemon.health import Health
from aipower.daemon.serving.pages import Pages
from aipower.daemon.serving.server import HttpService, Limits
from aipower.daemon.sites.guests import Guests
from aipower.daemon.sites.mount import Mounting
from aipower.model import Snapshot
from aipower.seams import Exporter
from aipower.settings.address import Address, parse_address
from aipower.site.resource import Resource
from aipower.web.compression import accepts_gzip

__all__ = ["Address", "HttpService", "Limits", "make_app", "parse_address"]

HEALTH_PATHS = ("/-/healthy", "/healthz")
READY_PATH = "/-/ready"
AGENT_PATHS = (HEALTH_PATHS[0], READY_PATH, HEALTH_PATHS[1])
INDEX_PATH = "/"

SnapshotSource = Callable[[], Snapshot | None]
"""The newest snapshot, or None before the first; it must return at once, and the same object until the next one."""

Settle = Callable[[Snapshot], Awaitable[None]]
"""Returns when a snapshot may be shown, soon; it raises nothing."""

Handler = Callable[[Request], Awaitable[Response]]


def make_app(
    snapshot: SnapshotSource,
    exporters: Sequence[Exporter],
    healthy: Callable[[], Health],
    *,
    ready: Callable[[], Health] | None = None,
    settle: Settle | None = None,
    sites: Sequence[Resource] = (),
    guests: Guests | None = None,
) -> Starlette:
    """The application: exporters and sites at their paths, health, readiness (`healthy`, if not told apart), and `/`.

    What an exporter and the counters of a site show has been through `settle`. A resource at `/` is for browsers. Who
    may see sites is up to `guests`; without them everybody who comes so far.

    Raises:
        ValueError: Two of them want the same path.
    """
    front = [resource for resource in sites if resource.path == INDEX_PATH]
    others = [resource for resource in sites if resource.path != INDEX_PATH]
    paths = [exporter.path for exporter in exporters]
    taken = [INDEX_PATH, *AGENT_PATHS, *paths, *(resource.path for resource in others), *["/"] * (len(front) - 1)]
    if len(set(taken)) < len(taken):
        raise ValueError(f"two pages want the same path: {', '.join(taken)}")
    mounting = Mounting(lambda: _settled(snapshot, settle), guests)
    index = _index_page([*paths, *AGENT_PATHS, *(resource.path for resource in others if resource.listed)])
    app = Starlette(
        routes=[
            Route(INDEX_PATH, _front(mounting.handler(front[0]), index) if front else index),
            *mounting.routes(others),
            *(Route(path, _health_page(healthy)) for path in HEALTH_PATHS),
            Route(READY_PATH, _health_page(ready or healthy)),
            *(Route(exporter.path, _exporter_page(snapshot, exporter, settle)) for exporter in exporters),
        ],
        exception_handlers={HTTPException: _refusal, Exception: _failure},
    )
    app.router.redirect_slashes = False
    return app


async def _settled(snapshot: SnapshotSource, settle: Settle | None) -> None:
    current = snapshot()
    if current is not None and settle is not None:
        await settle(current)


def _exporter_page(snapshot: SnapshotSource, exporter: Exporter, settle: Settle | None) -> Handler:
    pages = Pages(exporter)

    async def page(request: Request) -> Response:
        current = snapshot()
        if current is None:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, "no sample has been taken yet; try again in a moment")
        if settle is not None:
            await settle(current)
        headers = request.headers
        wanted = accepts_gzip(",".join(headers.getlist("accept-encoding")))
        found = pages.get(current, ",".join(headers.getlist("accept")), gzip=wanted)
        coding = {"content-encoding": found.coding} if found.coding else {}
        facts = {"content-type": found.content_type, "vary": "Accept, Accept-Encoding"}
        return Response(found.body, headers={**facts, **coding})

    return page


def _health_page(healthy: Callable[[], Health]) -> Handler:
    async def page(_request: Request) -> Response:
        health = healthy()
        status = HTTPStatus.OK if health.ok else HTTPStatus.SERVICE_UNAVAILABLE
        headers = {"content-type": "application/json", "cache-control": "no-store"}
        return Response(_health_json(health), status, headers)

    return page


def _health_json(health: Health) -> bytes:
    facts: dict[str, str | float | None] = {"status": health.status}
    if health.reason:
        facts["reason"] = health.reason
    return msgspec.json.encode({**facts, "sample_age_s": health.sample_age_s}) + b"\n"


def _index_page(paths: Sequence[str]) -> Handler:
    async def page(_request: Request) -> Response:
        return _text(HTTPStatus.OK, "\n".join(["aipower agent", "", *paths]))

    return page


def _front(site: Handler, index: Handler) -> Handler:
    """The site for browsers, the plain index for everything else."""

    async def page(request: Request) -> Response:
        if "text/html" in ",".join(request.headers.getlist("accept")):
            return await site(request)
        answer = await index(request)
        answer.headers["vary"] = "Accept"
        return answer

    return page


async def _refusal(_request: Request, error: Exception) -> Response:
    """What Starlette refuses (404, 405), in a line."""
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    answer = _text(status, f"{status.value} {status.phrase}; the pages are listed at /")
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


async def _failure(_request: Request, _error: Exception) -> Response:
    """The answer to a bug; Starlette raises the error again after it, so that it is logged in full."""
    answer = _text(HTTPStatus.INTERNAL_SERVER_ERROR, "500 the agent failed to answer; see its log")
    # Uvicorn closes the connection after the error; a client must know, or its next request is lost.
    answer.headers["connection"] = "close"
    return answer


def _text(status: HTTPStatus, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status)
