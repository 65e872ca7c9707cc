"""Stands before the pages: turns away what they need not see, asks for the password, and sends answers in pieces."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aipower.web.door import Door
from aipower.web.passwords import Passwords, TooManyChecksError
from aipower.web.places import WRITE_BUFFER_BYTES

VERSIONS = ("1.0", "1.1")
MAX_HEADERS = 100
DEFAULT_HEADERS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Where neither the page nor the web configuration says otherwise: text that no browser need run or keep."""
CLOSE = (b"connection", b"close")

Refusal = tuple[HTTPStatus, str, tuple[tuple[bytes, bytes], ...]]
"""A status, what to do about it, and further headers."""


class Guard:
    """The application that lets through to `app` who may pass."""

    def __init__(self, app: ASGIApp, door: Door, passwords: Passwords) -> None:
        self._app = app
        self._door = door
        self._passwords = passwords

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called for each request."""
        access = self._door.access
        body = _has_body(scope)
        dressed = _dress(send, access.headers, closes=body)
        refusal = _malformed(scope, body) or await self._stranger(scope, access.users)
        if refusal:
            await _refuse(dressed, *refusal)
        else:
            await self._app(scope, receive, dressed)

    async def _stranger(self, scope: Scope, users: Mapping[str, bytes]) -> Refusal | None:
        """Why not, to a request without a name and password of `users`; None where nobody is asked."""
        if not users:
            return None
        credentials, client = _credentials(scope), scope.get("client") or ("", 0)
        try:
            if credentials and await self._passwords.right(users, *credentials, client[0]):
                return None
        except TooManyChecksError:
            later = ((b"retry-after", b"1"),)
            return HTTPStatus.SERVICE_UNAVAILABLE, "too many passwords to check; try again later", later
        challenge = ((b"www-authenticate", b'Basic realm="aipower", charset="UTF-8"'),)
        return HTTPStatus.UNAUTHORIZED, "a user and a password are wanted", challenge


def _malformed(scope: Scope, body: bool) -> Refusal | None:  # noqa: FBT001 - a fact of the request
    if scope["http_version"] not in VERSIONS:
        return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "this is an HTTP/1.1 server", (CLOSE,)
    if len(scope["headers"]) > MAX_HEADERS:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {MAX_HEADERS} headers", (CLOSE,)
    if body and scope["method"] in {"GET", "HEAD"}:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a request has no body here", ()
    return None


def _has_body(scope: Scope) -> bool:
    """True where bytes follow that nobody reads; the connection cannot be used again."""
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")):
            return True
    return False


def _credentials(scope: Scope) -> tuple[str, bytes] | None:
    """Name and password of the request (RFC 7617); None where it has none or several."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(found) != 1:
        return None
    scheme, _, encoded = found[0].partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return None
    name, colon, password = decoded.partition(b":")
    return (name.decode(errors="surrogateescape"), password) if colon else None


async def _refuse(send: Send, status: HTTPStatus, why: str, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    body = f"{status.value} {status.phrase}: {why}\n".encode()
    facts = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status.value, "headers": [*facts, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _dress(send: Send, wanted: Mapping[str, str], *, closes: bool) -> Send:
    """`send` with the headers of all answers, and long bodies in pieces."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = _headers(message.get("headers", ()), wanted)
            await send({**message, "headers": [*headers, CLOSE] if closes and CLOSE not in headers else headers})
        elif message["type"] == "http.response.body":
            await _send_body(send, message)
        else:
            await send(message)

    return dressed


def _headers(own: list[tuple[bytes, bytes]], wanted: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The page's own headers, those of the configuration in their place, and the defaults."""
    kept = [(name, value) for name, value in own if name.decode("latin-1").lower() not in wanted]
    there = {name.decode("latin-1").lower() for name, _ in kept}
    usual = {"date": formatdate(time.time(), usegmt=True), **DEFAULT_HEADERS}
    added = {**{name: value for name, value in usual.items() if name not in there}, **wanted}
    return kept + [(name.encode(), value.encode()) for name, value in added.items() if value]


async def _send_body(send: Send, message: Message) -> None:
    """A client that does not read costs a piece, not the page."""
    body, more = message.get("body", b""), message.get("more_body", False)
    for start in range(0, len(body) - WRITE_BUFFER_BYTES, WRITE_BUFFER_BYTES):
        await send({**message, "body": body[start : start + WRITE_BUFFER_BYTES], "more_body": True})
        # Others come between two pieces, and the end of the connection is seen.
        await asyncio.sleep(0)
    rest = (max(len(body), 1) - 1) // WRITE_BUFFER_BYTES * WRITE_BUFFER_BYTES
    await send({**message, "body": body[rest:], "more_body": more})
