"""From a resource to a route: who may ask, entity tags, compression, headers, and what may take long off the loop."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aipower.daemon.sites.answers import Answers, Coded, Key, coded
from aipower.daemon.sites.guests import Guests
from aipower.daemon.sites.lane import BusyError, Lane
from aipower.site.resource import Question, Resource
from aipower.web.compression import accepts_gzip

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    # Kept, but asked for again each time: an entity tag makes that cheap, and a new version shows at once.
    "cache-control": "private, no-cache",
}
"""Of all answers of sites, unless the answer has its own."""
VARY: Mapping[str, str] = {"vary": "Accept, Accept-Encoding"}
USUAL_LOOPBACK = ("127.0.0.1", "::1")
"""To read an address takes longer than to compare it."""
MISLED = "a page is not served under this name; open it by address or as localhost, or ask for passwords (web_config)"
PRIVATE = "only the user that the agent runs as sees this; see run_records in the agent's settings"
BUSY = "others are being answered; try again in a moment"

Handler = Callable[[Request], Coroutine[None, None, Response]]
Heads = Mapping[bytes, str]
"""Headers of a request, in lower case."""

Ready = Callable[[], Awaitable[None]]
"""Returns when counters may be shown."""


class Mounting:
    """Makes routes of resources; what they have answered is kept for all of them together."""

    def __init__(self, ready: Ready, guests: Guests | None = None) -> None:
        self._ready = ready
        self._guests = guests
        self._answers = Answers()
        self._lane = Lane()

    def routes(self, resources: Sequence[Resource]) -> list[Route]:
        """One for each resource."""
        return [Route(resource.path, self.handler(resource)) for resource in resources]

    def handler(self, resource: Resource) -> Handler:
        """What answers requests for `resource`."""

        async def handle(request: Request) -> Response:
            heads = _heads(request)
            if self._guests is not None and self._guests.misled(heads.get(b"host", "")):
                return _refusal(HTTPStatus.MISDIRECTED_REQUEST, MISLED)
            try:
                if resource.private and not await self._may_see_private(request):
                    return _refusal(HTTPStatus.FORBIDDEN, PRIVATE)
                return await self._answer(resource, request, heads)
            except BusyError:
                return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)

        return handle

    async def _answer(self, resource: Resource, request: Request, heads: Heads) -> Response:
        if resource.counters:
            await self._ready()
        question = _question(request, heads)
        version = resource.version(question) if resource.version else ""
        tag = {"etag": f'W/"{version}"'} if version else {}
        if version and _knows(heads, tag["etag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={**HEADERS, **tag, **VARY})
        gzip = _wants_gzip(request, heads)
        key = request.scope["path"], question.query_string, question.accept, gzip
        found = await self._find(resource, question, key, version)
        return _response(found, tag if found.answer.status == HTTPStatus.OK else {})

    async def _may_see_private(self, request: Request) -> bool:
        if self._guests is None:
            return True
        caller, here = request.client, request.scope.get("server")
        if caller is None or here is None:
            return False
        ends = (caller.host, caller.port), (str(here[0]), int(here[1]))
        return await self._lane.run(partial(self._guests.may_see_private, *ends))

    async def _find(self, resource: Resource, question: Question, key: Key, version: str) -> Coded:
        if version and (kept := self._answers.get(key, version)):
            return kept

        def make() -> Coded:
            return coded(resource.answer(question), gzip=key[3])

        found = await self._lane.run(make) if resource.slow else make()
        if version and found.answer.status == HTTPStatus.OK:
            self._answers.put(key, version, found)
        return found


def _heads(request: Request) -> Heads:
    """The headers of the request; where one stands twice, its values with a comma between them."""
    found: dict[bytes, str] = {}
    for name, value in request.scope["headers"]:
        text = value.decode("latin-1")
        found[name] = f"{found[name]},{text}" if name in found else text
    return found


def _question(request: Request, heads: Heads) -> Question:
    query_string = request.scope["query_string"].decode("latin-1")
    query = dict(parse_qsl(query_string, keep_blank_values=True))
    return Question(request.path_params, query, query_string, heads.get(b"accept", ""))


def _knows(heads: Heads, tag: str) -> bool:
    """True where the client has this version (RFC 9110, section 13.1.2; tags are compared weakly)."""
    header = heads.get(b"if-none-match", "")
    return header.strip() == "*" or tag in (part.strip() for part in header.split(","))


def _wants_gzip(request: Request, heads: Heads) -> bool:
    """On this machine bytes are cheaper than the time to compress them."""
    if not accepts_gzip(heads.get(b"accept-encoding", "")):
        return False
    host = request.client.host if request.client else ""
    try:
        return host not in USUAL_LOOPBACK and not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def _response(found: Coded, tag: Mapping[str, str]) -> Response:
    coding = {"content-encoding": found.coding} if found.coding else {}
    facts = {"content-type": found.answer.content_type, **coding, **tag, **VARY}
    return Response(found.body, found.answer.status, {**HEADERS, **facts, **found.answer.headers})


def _refusal(status: HTTPStatus, why: str) -> Response:
    later = {"retry-after": "1"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    facts = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store", **later}
    return Response(f"{status.value} {status.phrase}: {why}\n".encode(), status, {**HEADERS, **facts})
