"""What can go wrong between the engine and us: one line each, with the remedy."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error

from aipower.errors import AipowerError
from aipower.fleet.answers import message_of

SHOWN = 300
"""Characters of an engine's own words."""
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429
REDIRECTS = range(300, 400)
REMEDIES = (
    ("no org id", "name the tenant: --header 'X-Scope-OrgID: TENANT'"),
    ("too many samples", "ask for less: a later --since, or one --node"),
    ("exceeded maximum resolution", "ask for less: a later --since"),
    ("limit", "ask for less: a later --since, or one --node"),
    ("timed out", "ask for less, or allow more by --timeout"),
    ("timeout", "ask for less, or allow more by --timeout"),
)
"""What to do about words of Prometheus, Mimir and VictoriaMetrics."""


class EngineError(AipowerError):
    """The engine cannot be asked, or does not answer what was asked."""


def shown(text: str) -> str:
    """Foreign text as one line that cannot hurt."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def unreachable(url: str, error: BaseException, timeout_s: float) -> EngineError:
    """Nothing came back."""
    reason: object = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return EngineError(
            f"{url}: no answer within {timeout_s:g} s; ask for less (a later --since), or allow more by --timeout"
        )
    if isinstance(reason, ssl.SSLCertVerificationError):
        return EngineError(
            f"{url}: its certificate is not trusted: {reason.verify_message}; name the CA's file by SSL_CERT_FILE"
        )
    if isinstance(reason, ssl.SSLError):
        return EngineError(f"{url}: no TLS can be spoken with it: {shown(str(reason))}; is it http:// there?")
    if isinstance(reason, http.client.HTTPException):
        return EngineError(f"{url}: the answer broke off: {shown(repr(reason))}; try again, or ask a proxy's log")
    told = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return EngineError(f"{url} cannot be reached: {shown(told)}; is the address right, and the server up?")


def refused(url: str, code: int, kind: str, body: bytes, location: str = "") -> EngineError:
    """An answer with a status that is no success."""
    told = _words(body)
    if code in REDIRECTS:
        return EngineError(f"{url} sends on to {shown(location) or 'nowhere'}; name the address of the API itself")
    if code in {UNAUTHORIZED, FORBIDDEN} and "no org id" not in told:
        return EngineError(
            f"{url} lets nobody in without the right credentials ({code}{_said(told)}); see --password-file,"
            " --bearer-file and --header"
        )
    if _is_page(kind, body):
        return web_page(url, code)
    if code == NOT_FOUND:
        return EngineError(
            f"{url} has no Prometheus API ({code}); Mimir's is at /prometheus, that of a VictoriaMetrics cluster at"
            " /select/0/prometheus"
        )
    if code == TOO_MANY:
        return EngineError(f"{url} is asked too much ({code}{_said(told)}); try again later")
    remedy = next((remedy for words, remedy in REMEDIES if words in told.lower()), "")
    return EngineError(f"{url} refuses the query ({code}{_said(told)}){f'; {remedy}' if remedy else ''}")


def web_page(url: str, code: int = 200) -> EngineError:
    """HTML came where data was wanted."""
    return EngineError(
        f"{url} answers with a web page ({code}), as a login does; name the address of the API itself, and the"
        " credentials by --password-file, --bearer-file or --header"
    )


def strange(url: str, kind: str, body: bytes, why: str) -> EngineError:
    """A success that has no sense."""
    if _is_page(kind, body):
        return web_page(url)
    return EngineError(f"{url} does not answer as Prometheus does: {shown(why)}; is the address right?")


def _is_page(kind: str, body: bytes) -> bool:
    return "html" in kind.lower() or body[:64].lstrip().lower().startswith((b"<!doctype", b"<html"))


def _words(body: bytes) -> str:
    """The engine's message: in JSON, or as plain text."""
    try:
        told = message_of(json.loads(body))
    except (ValueError, RecursionError):
        text = body[: 4 * SHOWN].decode("utf-8", "replace").strip()
        told = "" if text.startswith("<") else " ".join(text.split())
    return shown(told)


def _said(told: str) -> str:
    return f": {told}" if told else ""
