"""A small service and raw clients of it, for the tests of the server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from aipower.daemon.serving.server import HttpService, Limits

DEADLINE_S = 30.0
LARGE_BYTES = 3_000_000


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello\n")


async def refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(f"{error.status_code} no\n", error.status_code)


async def slow(_request: Request) -> Response:
    """A stream longer than the patience with silent clients."""

    async def parts() -> AsyncIterator[str]:
        for number in range(8):
            await asyncio.sleep(0.4)
            yield f"{number}\n"

    return StreamingResponse(parts(), media_type="text/plain")


async def large(_request: Request) -> Response:
    return Response(b"x" * LARGE_BYTES)


def application() -> Starlette:
    return Starlette(
        routes=[Route("/", hello), Route("/slow", slow), Route("/large", large)],
        exception_handlers={HTTPException: refusal},
    )


def service(port: int = 0, host: str = "127.0.0.1", limits: Limits | None = None) -> HttpService:
    return HttpService(application(), host, port, limits)


def get(running: HttpService, path: str = "/") -> httpx.Response:
    return httpx.get(f"http://{running.address}{path}", timeout=DEADLINE_S)


@contextmanager
def connected(running: HttpService, send: bytes = b"") -> Iterator[socket.socket]:
    address = (running.address.host, running.address.port)
    with socket.create_connection(address, timeout=DEADLINE_S) as connection:
        connection.sendall(send)
        yield connection


def read_to_end(connection: socket.socket) -> bytes:
    """All that comes until the other side closes or aborts; a timeout fails the test."""
    received = b""
    try:
        while part := connection.recv(4096):
            received += part
    except ConnectionResetError:
        pass
    return received
