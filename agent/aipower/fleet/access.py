"""Where the engine is and how to be let in: what the options, the address and the user's netrc say."""

from __future__ import annotations

import base64
import netrc
import os
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aipower.errors import UsageError

API = "/api/v1"
PAGES = (API, "/graph", "/query", "/vmui", "/metrics")
"""Ends of addresses that are copied from a browser; the API is not below them."""
MOST_BYTES = 256 * 2**20
"""Of an answer: more would only fill the memory."""
SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Access:
    """An engine."""

    url: str
    """Without the secret that may stand in it, and without `/api/v1`."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 60.0
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the user has said about how to be let in."""

    headers: Sequence[str] = ()
    password_file: str | None = None
    bearer_file: str | None = None


def access_of(url: str, credentials: Credentials, environ: Mapping[str, str], timeout_s: float = 60.0) -> Access:
    """The engine at `url`.

    Raises:
        UsageError: The address, a header or a file with a secret is wrong.
    """
    parts = _parts(url)
    headers = dict(_header(text) for text in credentials.headers)
    login = _authorization(parts, credentials, environ)
    if login and "authorization" not in {name.lower() for name in headers}:
        headers["Authorization"] = login
    return Access(_clean(parts), headers, timeout_s)


def _parts(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        fine = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, fine = urllib.parse.urlsplit(""), False
    if not fine or not url.isprintable() or " " in url:
        shown = "".join(char if char.isprintable() else "?" for char in url.rpartition("@")[2])
        raise UsageError(f"--prometheus {shown}: no address of a server; as in http://prometheus.example:9090")
    return parts


def _clean(parts: urllib.parse.SplitResult) -> str:
    """Without secret, query and the page that was open in the browser."""
    path = parts.path.rstrip("/")
    for page in PAGES:
        path = path.removesuffix(page)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{path.rstrip('/')}"


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not name or not name.isascii() or not value.isprintable() or not name.isprintable() or " " in name:
        raise UsageError("--header: write it as 'X-Scope-OrgID: tenant'")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise UsageError(f"--header {name}: its value has characters that no header can have") from error
    return name, value


def _authorization(
    parts: urllib.parse.SplitResult, credentials: Credentials, environ: Mapping[str, str]
) -> str | None:
    """The first that is told: a token, a user in the address, the user's netrc."""
    if credentials.bearer_file is not None:
        return f"Bearer {_secret(credentials.bearer_file, '--bearer-file')}"
    user = urllib.parse.unquote(parts.username or "")
    if credentials.password_file is not None:
        if not user:
            raise UsageError("--password-file: say whose it is in the address, as in http://USER@prometheus.example")
        return _basic(user, _secret(credentials.password_file, "--password-file"))
    if user and parts.password is not None:
        return _basic(user, urllib.parse.unquote(parts.password))
    known = _from_netrc(parts.hostname or "", environ)
    if known is None or (user and user != known[0]):
        return None
    return _basic(*known)


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _secret(path: str, option: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "no text"
        raise UsageError(f"{option} {path}: {told}") from error
    if not text or not text.isprintable() or not text.isascii():
        raise UsageError(f"{option} {path}: one line with the secret and nothing else must be in it")
    return text


def _from_netrc(host: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Who the user is on `host`, as curl would find it; None where there is no word of it.

    Raises:
        UsageError: The file is broken.
    """
    home = environ.get("HOME", "")
    path = environ.get("NETRC") or (os.path.join(home, ".netrc") if home else "")  # noqa: PTH118 - may be no path
    if not path or not Path(path).is_file():
        return None
    try:
        found = netrc.netrc(path).authenticators(host)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    return (found[0], found[2] or "") if found and found[0] else None
