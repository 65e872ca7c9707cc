"""The HTTP API of Prometheus, as Thanos, Mimir and VictoriaMetrics speak it too."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import IO, TypeVar

from aipower import __version__
from aipower.fleet.access import API, Access
from aipower.fleet.answers import Answer, NoAnswerError, Series, parse, series_of, texts_of
from aipower.fleet.troubles import EngineError, refused, strange, unreachable

LONGEST_GET = 1500
"""Longer queries are posted: proxies cut long addresses."""
MILLI = 1000
CANNOT_UNPACK = "what it packed cannot be unpacked"

Made = TypeVar("Made")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody: credentials must not go where the user has not sent them."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """No other request."""
        del req, fp, code, msg, headers, newurl


class Client:
    """Asks one engine. Warnings that come with answers are kept: the data may be incomplete then."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._warnings: dict[str, None] = {}
        context = ssl.create_default_context()
        self._opener = urllib.request.build_opener(_Stay, urllib.request.HTTPSHandler(context=context))

    @property
    def url(self) -> str:
        """Of the engine, without secrets."""
        return self._access.url

    @property
    def warnings(self) -> Sequence[str]:
        """All that came so far, each once."""
        return list(self._warnings)

    def instant(self, query: str, at_s: float) -> list[Series]:
        """The values of `query` at a Unix time; of a range, all its samples.

        Raises:
            EngineError: It cannot be asked, or refuses; the message has the remedy.
        """
        return self._series("/query", {"query": query, "time": _moment(at_s)})

    def grid(self, query: str, start_s: float, end_s: float, step_s: float) -> list[Series]:
        """The values of `query` from `start_s` to `end_s`, every `step_s`.

        Raises:
            EngineError: As above.
        """
        window = {"start": _moment(start_s), "end": _moment(end_s), "step": _moment(step_s)}
        return self._series("/query_range", {"query": query, **window})

    def values(self, label: str, matches: Sequence[str], start_s: float, end_s: float) -> list[str]:
        """The values of `label` on series that match.

        Raises:
            EngineError: As above.
        """
        window = [("start", _moment(start_s)), ("end", _moment(end_s))]
        answer = self._ask(f"/label/{label}/values", [*(("match[]", match) for match in matches), *window], get=True)
        return self._made(answer, texts_of)

    def _series(self, path: str, fields: Mapping[str, str]) -> list[Series]:
        # VictoriaMetrics moves the edges of a query whose answer it wants to keep for the next one.
        told = [*fields.items(), ("timeout", f"{self._access.timeout_s:g}"), ("nocache", "1")]
        return self._made(self._ask(path, told), series_of)

    def _made(self, answer: Answer, make: Callable[[Answer], Made]) -> Made:
        try:
            return make(answer)
        except NoAnswerError as error:
            raise strange(self.url, "", b"", str(error)) from error

    def _ask(self, path: str, fields: Sequence[tuple[str, str]], *, get: bool = False) -> Answer:
        coded = urllib.parse.urlencode(fields)
        address = f"{self.url}{API}{path}"
        if get or len(coded) <= LONGEST_GET:
            kind, body = self._fetch(urllib.request.Request(f"{address}?{coded}"))  # noqa: S310 - http(s) only
        else:
            kind, body = self._fetch(urllib.request.Request(address, data=coded.encode()))  # noqa: S310 - as above
        try:
            answer = parse(body)
        except NoAnswerError as error:
            raise strange(self.url, kind, body, str(error)) from error
        self._warnings.update(dict.fromkeys(answer.warnings))
        return answer

    def _fetch(self, request: urllib.request.Request) -> tuple[str, bytes]:
        """The kind and the body of the answer."""
        request.add_header("Accept", "application/json")
        request.add_header("Accept-Encoding", "gzip")
        request.add_header("User-Agent", f"aipower/{__version__}")
        for name, value in self._access.headers.items():
            request.add_unredirected_header(name, value)
        try:
            with self._opener.open(request, timeout=self._access.timeout_s) as response:
                return response.headers.get("Content-Type", ""), self._body(response)
        except urllib.error.HTTPError as error:
            raise self._refused(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(self.url, error, self._access.timeout_s) from error

    def _refused(self, error: urllib.error.HTTPError) -> EngineError:
        with error:
            try:
                body = self._body(error)
            except (OSError, http.client.HTTPException):
                body = b""
        headers = error.headers
        return refused(self.url, error.code, headers.get("Content-Type", ""), body, headers.get("Location", ""))

    def _body(self, response: http.client.HTTPResponse | urllib.error.HTTPError) -> bytes:
        most = self._access.most_bytes
        body = response.read(most + 1)
        promised = response.headers.get("Content-Length", "")
        if promised.isdecimal() and len(body) < min(int(promised), most):
            # Only who reads without a limit is told of it.
            raise http.client.IncompleteRead(body, int(promised) - len(body))
        if response.headers.get("Content-Encoding", "") == "gzip" and len(body) <= most:
            body = self._unpacked(body)
        if len(body) > most:
            raise EngineError(
                f"{self.url}: an answer of more than {most // 2**20} MiB; ask for less: a later --since, or one --node"
            )
        return body

    def _unpacked(self, body: bytes) -> bytes:
        """Up to a little more than is taken."""
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            plain = unpacker.decompress(body, self._access.most_bytes + 1)
        except zlib.error as error:
            raise strange(self.url, "", b"", CANNOT_UNPACK) from error
        if not unpacker.eof and len(plain) <= self._access.most_bytes:
            raise strange(self.url, "", b"", CANNOT_UNPACK)
        return plain


def _moment(unix_s: float) -> str:
    """Seconds with the milliseconds that engines keep."""
    return f"{unix_s:.3f}"


def duration(span_s: float) -> str:
    """A span in a query: at least a millisecond."""
    return f"{max(1, round(span_s * MILLI))}ms"
