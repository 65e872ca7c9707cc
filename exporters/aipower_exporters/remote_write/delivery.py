"""Sends the requests of one push: one time limit for all, and a rest where the receiver asks for one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct

from aipower.errors import UsageError
from aipower.sinks import SinkError
from aipower_exporters.sinks.http import REASONS, SERVER_ERROR, SUCCESS, Answer, Endpoint

MAX_REST_S = 3600.0
"""Nobody rests longer than this, whatever the receiver says."""
MAX_TOLD_CHARS = 200
OUR_HEADERS = ("Authorization", "Connection", "Content-Length", "Host", "Transfer-Encoding", "User-Agent")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, 5.6.2."""
LEAST_TIMEOUT_S = 0.01
TOO_MANY_REQUESTS = 429
GATEWAY_ERRORS = (502, 503, 504)
"""There is something between us and a receiver that is not there now."""


class Request(Struct, frozen=True):
    """One request of a push, and what to do when it has arrived."""

    body: bytes
    arrived: Callable[[Answer], None]
    """May raise a SinkError `rejected`: the receiver took the request, but not all that was in it."""


class Delivery:
    """The way to one receiver. It remembers until when that wants to be left alone."""

    def __init__(
        self,
        endpoint: Endpoint,
        monotonic_s: Callable[[], float] = time.monotonic,
        told: Callable[[Answer], str] = lambda _answer: "",
    ) -> None:
        """`told` finds what an error says in answers that are not text, as in ": too much"; "" for nothing."""
        self._endpoint = endpoint
        self._told = told
        self._monotonic_s = monotonic_s
        self._rest_until_s = 0.0

    def send(self, requests: Iterable[Request], headers: Mapping[str, str], *, most_s: float | None = None) -> None:
        """Send all `requests`, within the time limit of the endpoint and `most_s` seconds together.

        What the receiver rejects does not keep the rest from it; any other failure does.

        Raises:
            SinkError: Not all of them arrived.
        """
        now_s = self._monotonic_s()
        if now_s < self._rest_until_s:
            rest_s = self._rest_until_s - now_s
            raise SinkError("throttled", f"{self._endpoint.url} has asked to be left alone for {rest_s:.0f} s more")
        limit_s = self._endpoint.timeout_s if most_s is None else min(most_s, self._endpoint.timeout_s)
        rejected: list[SinkError] = []
        for request in requests:
            try:
                request.arrived(self._post(request.body, headers, now_s + limit_s))
            except SinkError as error:
                if error.reason != "rejected":
                    raise
                rejected.append(error)
        if rejected:
            raise rejected[0]

    def _post(self, body: bytes, headers: Mapping[str, str], until_s: float) -> Answer:
        left_s = until_s - self._monotonic_s()
        if left_s < LEAST_TIMEOUT_S:
            raise SinkError("timeout", f"{self._endpoint.url} does not take all in time")
        limited = replace(self._endpoint, timeout_s=max(LEAST_TIMEOUT_S, round(left_s, 2)))
        answer = limited.exchange("POST", body, headers)
        if answer.status in SUCCESS:
            return answer
        rest_s = _rest_s(answer, datetime.now(UTC))
        self._rest_until_s = self._monotonic_s() + rest_s
        text = _plain(answer) or self._told(answer)
        raise SinkError(_reason(answer.status, rest_s), f"{self._endpoint.url} answers {answer.status}{text}")


def checked_headers(given: Mapping[str, str], fixed: Iterable[str]) -> Mapping[str, str]:
    """Headers that a user wants; those in `fixed` are not theirs.

    Raises:
        UsageError: One of them cannot be.
    """
    ours = {name.lower() for name in (*OUR_HEADERS, *fixed)}
    for name, value in given.items():
        if name.lower() in ours or not HEADER_NAME.fullmatch(name):
            raise UsageError(f"headers: expected names as in X-Scope-OrgID, not {name!r}")
        if not value.isascii():
            raise UsageError(f"headers: expected ASCII for {name!r}")
    return given


def _reason(status: int, rest_s: float) -> str:
    if status == TOO_MANY_REQUESTS or rest_s:
        return "throttled"
    if status in GATEWAY_ERRORS:
        return "refused"
    return REASONS.get(status, "failed" if status >= SERVER_ERROR else "rejected")


def _rest_s(answer: Answer, now: datetime) -> float:
    """Seconds that the header Retry-After asks for, as a number or as a date."""
    if answer.status != TOO_MANY_REQUESTS and answer.status < SERVER_ERROR:
        return 0.0
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        # A number of a thousand digits is too long for int().
        return min(float(asked), MAX_REST_S)
    try:
        at = parsedate_to_datetime(asked)
        # A date that names no zone is in GMT: RFC 9110, 5.6.7.
        rest_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    return min(max(0.0, rest_s), MAX_REST_S)


def _plain(answer: Answer) -> str:
    """The first line of a plain answer, for people; what is not text is left out."""
    if not answer.headers.get("content-type", "text/plain").startswith(("text/", "application/json")):
        return ""
    lines = answer.body.decode(errors="replace").strip().splitlines()
    text = "".join(char if char.isprintable() else "?" for char in lines[0])[:MAX_TOLD_CHARS] if lines else ""
    return f": {text}" if text else ""
