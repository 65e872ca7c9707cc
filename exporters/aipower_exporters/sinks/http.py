"""Sends one request with a time limit for all of it. No redirects, no proxies: credentials go nowhere else."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from aipower.errors import UsageError
from aipower.sinks import SinkError
from aipower_exporters.sinks.options import Options

OPTION_KEYS = (
    "timeout_s",
    "username",
    "password",
    "password_file",
    "token",
    "token_file",
    "ca_file",
    "cert_file",
    "key_file",
)
"""What `endpoint` reads beside the address."""
MAX_ANSWER_BYTES = 64 * 1024
MAX_TOLD_CHARS = 160
SUCCESS = range(200, 300)
REASONS: Mapping[int, str] = MappingProxyType(
    {401: "denied", 403: "denied", 407: "denied", 408: "timeout", 507: "full"}
)
"""Reasons of statuses; others are `failed` from 500 on, else `rejected`."""
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes
    """At most `MAX_ANSWER_BYTES` of it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go, and with which credentials."""

    url: str
    timeout_s: float
    authorization: Callable[[], str] = field(repr=False, default=str)
    """The header of that name now, "" for none."""
    tls: ssl.SSLContext | None = None

    def send(self, method: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a request, which is a success.

        Raises:
            SinkError: Nobody answers in time, or not with a success.
        """
        answer = self.exchange(method, body, headers)
        if answer.status not in SUCCESS:
            reason = REASONS.get(answer.status, "failed" if answer.status >= SERVER_ERROR else "rejected")
            raise SinkError(reason, f"{self.url} answers {answer.status}{_told(answer.body)}")
        return answer

    def exchange(self, method: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a request, whatever its status.

        Raises:
            SinkError: Nobody answers in time.
        """
        credentials = self.authorization()
        all_headers = {**headers, **({"Authorization": credentials} if credentials else {})}
        until_s = time.monotonic() + self.timeout_s
        try:
            return self._exchange(method, body, all_headers, until_s)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failure(error, late=time.monotonic() >= until_s) from error

    def _exchange(self, method: str, body: bytes, headers: Mapping[str, str], until_s: float) -> Answer:
        parts = urlsplit(self.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._connection(parts.hostname or "", parts.port)
        with contextlib.closing(connection):
            connection.connect()
            with _cut_at(connection.sock, until_s):
                connection.request(method, target, body, dict(headers))
                response = connection.getresponse()
                named = {name.lower(): value for name, value in response.getheaders()}
                return Answer(response.status, named, response.read(MAX_ANSWER_BYTES))

    def _connection(self, host: str, port: int | None) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection(host, port, timeout=self.timeout_s)
        return http.client.HTTPSConnection(host, port, timeout=self.timeout_s, context=self.tls)

    def _failure(self, error: Exception, *, late: bool) -> SinkError:
        if late or isinstance(error, TimeoutError):
            return SinkError("timeout", f"{self.url} does not answer within {self.timeout_s:g} s")
        if isinstance(error, ssl.SSLCertVerificationError):
            return SinkError("denied", f"{self.url}: its certificate is not trusted: {error.verify_message}")
        if isinstance(error, ConnectionError) and not isinstance(error, http.client.HTTPException):
            return SinkError("refused", f"{self.url}: {error.strerror or error}")
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return SinkError("failed", f"{self.url}: {_one_line(what) or type(error).__name__}")


def endpoint(options: Options, url: str) -> Endpoint:
    """The endpoint `url` with the credentials and limits of `options`.

    Raises:
        UsageError: An option is wrong.
    """
    timeout_s = options.number("timeout_s", 10.0, 0.1, 300.0)
    return Endpoint(url, timeout_s, _authorization(options), _tls(options, url))


def _authorization(options: Options) -> Callable[[], str]:
    username = options.text("username", "")
    password, token = options.secret("password"), options.secret("token")
    has_token = bool(token.value or token.path)
    if has_token and username:
        raise UsageError("username: expected either username and password, or a token")
    if (password.value or password.path) and not username:
        raise UsageError("username: missing; a password belongs to one")
    if ":" in username:
        raise UsageError("username: expected a name without a colon")
    if has_token:
        return lambda: f"Bearer {token.read()}"
    if username:
        return lambda: "Basic " + base64.b64encode(f"{username}:{password.read()}".encode()).decode()
    return str


def _tls(options: Options, url: str) -> ssl.SSLContext | None:
    files = {key: options.readable(key) for key in ("ca_file", "cert_file", "key_file")}
    given = [key for key, path in files.items() if path]
    if not url.startswith("https:"):
        if given:
            raise UsageError(f"{given[0]}: expected an address with https:// for it")
        return None
    if files["key_file"] and not files["cert_file"]:
        raise UsageError("cert_file: missing; a key belongs to one")
    try:
        context = ssl.create_default_context(cafile=files["ca_file"])
    except (OSError, ValueError) as error:
        raise UsageError(f"ca_file: {files['ca_file']}: not a file of certificates in PEM") from error
    if files["cert_file"]:
        try:
            context.load_cert_chain(files["cert_file"], files["key_file"], password=_no_passphrase)
        except (OSError, ValueError) as error:
            raise UsageError(f"cert_file: {files['cert_file']}: not a certificate in PEM with its key") from error
    return context


def _no_passphrase() -> str:
    """A key that needs one would be asked for on the terminal."""
    raise ValueError("the key has a passphrase")


@contextmanager
def _cut_at(connected: socket.socket, until_s: float) -> Iterator[None]:
    """End the connection at `until_s`: the timeout of a socket begins anew with each byte.

    Raises:
        TimeoutError: It has been ended; half an answer looks like a whole one then.
    """
    # A socket of its own for the same connection, so that the one in use is not touched while it is in a call.
    same = socket.socket(fileno=os.dup(connected.fileno()))

    cut_short = threading.Event()

    def cut() -> None:
        cut_short.set()
        with contextlib.suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, until_s - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        same.close()
    if cut_short.is_set():
        raise TimeoutError


def _told(body: bytes) -> str:
    """The first line of an answer, for people."""
    text = _one_line(body.decode(errors="replace"))
    return f": {text}" if text else ""


def _one_line(text: str) -> str:
    lines = text.strip().splitlines() or [""]
    return "".join(char if char.isprintable() else "?" for char in lines[0])[:MAX_TOLD_CHARS]
