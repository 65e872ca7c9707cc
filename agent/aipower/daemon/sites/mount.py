"""From a resource to a route: who may ask, entity tags, compression, headers, and what may take long off the loop."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aipower.daemon.compression import accepts_gzip
from aipower.daemon.sites.answers import Answers, Coded, coded
from aipower.daemon.sites.guests import Guests
from aipower.daemon.sites.lane import BusyError, Lane
from aipower.site.resource import Question, Resource

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
MISLED = "a page is not served under this name; open it by address or as localhost, or ask for passwords (web_config)"
PRIVATE = "only the user that the agent runs as sees this; see run_records in the agent's settings"
BUSY = "others are being answered; try again in a moment"

Handler = Callable[[Request], Coroutine[None, None, Response]]

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
            if self._guests is not None and self._guests.misled(request.headers.get("host", "")):
                return _refusal(HTTPStatus.MISDIRECTED_REQUEST, MISLED)
            try:
                if resource.private and not await self._may_see_private(request):
                    return _refusal(HTTPStatus.FORBIDDEN, PRIVATE)
                return await self._answer(resource, request)
            except BusyError:
                return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)

        return handle

    async def _answer(self, resource: Resource, request: Request) -> Response:
        if resource.counters:
            await self._ready()
        question = _question(request)
        version = resource.version(question) if resource.version else ""
        tag = {"etag": f'W/"{version}"'} if version else {}
        if version and _knows(request, tag["etag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={**HEADERS, **tag, **_vary()})
        found = await self._find(resource, request, question, version)
        return _response(found, tag if found.answer.status == HTTPStatus.OK else {})

    async def _may_see_private(self, request: Request) -> bool:
        if self._guests is None:
            return True
        caller, here = request.client, request.scope.get("server")
        if caller is None or here is None:
            return False
        ends = (caller.host, caller.port), (str(here[0]), int(here[1]))
        return await self._lane.run(partial(self._guests.may_see_private, *ends))

    async def _find(self, resource: Resource, request: Request, question: Question, version: str) -> Coded:
        key = (request.url.path, question.query_string, question.accept, _wants_gzip(request))
        if version and (kept := self._answers.get(key, version)):
            return kept

        def make() -> Coded:
            return coded(resource.answer(question), gzip=key[3])

        found = await self._lane.run(make) if resource.slow else make()
        if version and found.answer.status == HTTPStatus.OK:
            self._answers.put(key, version, found)
        return found


def _question(request: Request) -> Question:
    accept = ",".join(request.headers.getlist("accept"))
    return Question(request.path_params, dict(request.query_params), request.url.query, accept)


def _knows(request: Request, tag: str) -> bool:
    """True where the client has this version (RFC 9110, section 13.1.2; tags are compared weakly)."""
    header = ",".join(request.headers.getlist("if-none-match"))
    return header.strip() == "*" or tag in (part.strip() for part in header.split(","))


def _wants_gzip(request: Request) -> bool:
    """On this machine bytes are cheaper than the time to compress them."""
    if not accepts_gzip(",".join(request.headers.getlist("accept-encoding"))):
        return False
    try:
        return not ipaddress.ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return True


def _vary() -> Mapping[str, str]:
    return {"vary": "Accept, Accept-Encoding"}


def _response(found: Coded, tag: Mapping[str, str]) -> Response:
    coding = {"content-encoding": found.coding} if found.coding else {}
    facts = {"content-type": found.answer.content_type, **coding, **tag, **_vary()}
    return Response(found.body, found.answer.status, {**HEADERS, **facts, **found.answer.headers})


def _refusal(status: HTTPStatus, why: str) -> Response:
    later = {"retry-after": "1"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    facts = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store", **later}
    return Response(f"{status.value} {status.phrase}: {why}\n".encode(), status, {**HEADERS, **facts})
