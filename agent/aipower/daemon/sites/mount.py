"""From a resource to a route: entity tags, compression, headers, and what may take long off the loop."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aipower.daemon.compression import accepts_gzip
from aipower.daemon.sites.answers import Answers, Coded, coded
from aipower.site.resource import Answer, Question, Resource

MAX_SLOW = 2
"""Threads that read files for pages; more would only wait for the same disk, and take time from the sampler."""
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

Handler = Callable[[Request], Coroutine[None, None, Response]]

Ready = Callable[[], Awaitable[None]]
"""Returns when counters may be shown."""


class Mounting:
    """Makes routes of resources; what they have answered is kept for all of them together."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready
        self._answers = Answers()
        self._slow = asyncio.Semaphore(MAX_SLOW)

    def routes(self, resources: Sequence[Resource]) -> list[Route]:
        """One for each resource."""
        return [Route(resource.path, self.handler(resource)) for resource in resources]

    def handler(self, resource: Resource) -> Handler:
        """What answers requests for `resource`."""

        async def handle(request: Request) -> Response:
            if resource.counters:
                await self._ready()
            question = _question(request)
            version = resource.version(question) if resource.version else ""
            tag = {"etag": f'W/"{version}"'} if version else {}
            if version and _knows(request, tag["etag"]):
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={**HEADERS, **tag, **_vary()})
            found = await self._find(resource, request, question, version)
            return _response(found, tag if found.answer.status == HTTPStatus.OK else {})

        return handle

    async def _find(self, resource: Resource, request: Request, question: Question, version: str) -> Coded:
        key = (request.url.path, question.query_string, question.accept, _wants_gzip(request))
        if version and (kept := self._answers.get(key, version)):
            return kept
        found = coded(await self._ask(resource, question), gzip=key[3])
        if version and found.answer.status == HTTPStatus.OK:
            self._answers.put(key, version, found)
        return found

    async def _ask(self, resource: Resource, question: Question) -> Answer:
        if not resource.slow:
            return resource.answer(question)
        async with self._slow:
            return await asyncio.to_thread(resource.answer, question)


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
