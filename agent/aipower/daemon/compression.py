"""Compressed answers, for those who want them."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

GZIP_LEVEL = 4
"""Level 9 takes several times as long for a few per cent, and the time is taken from the jobs."""


class Compression(GZipMiddleware):
    """Starlette's, which takes any header that holds the word `gzip` for consent."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, compresslevel=GZIP_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called for each request."""
        if scope["type"] == "http":
            scope = {**scope, "headers": list(scope["headers"])}
            wanted = accepts_gzip(",".join(Headers(scope=scope).getlist("accept-encoding")))
            MutableHeaders(scope=scope)["accept-encoding"] = "gzip" if wanted else "identity"
        await super().__call__(scope, receive, send)


def accepts_gzip(header: str) -> bool:
    """True if an Accept-Encoding of `header` allows gzip (RFC 9110, section 12.5.3)."""
    weights = dict(_weight(part) for part in header.lower().split(","))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(part: str) -> tuple[str, float]:
    """The coding of a part such as `gzip;q=0.5` and its weight; 0 where that is not a number."""
    coding, _, parameter = part.partition(";")
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return coding.strip(), 1.0
    try:
        return coding.strip(), float(value)
    except ValueError:
        return coding.strip(), 0.0
