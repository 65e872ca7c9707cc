"""HTTP/1.1 by uvicorn, with an end to everything: trickled requests, long ones, rubbish, and answers nobody reads."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from http import HTTPStatus

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from aipower.web.places import WRITE_BUFFER_BYTES, Visit, Waits
from aipower.web.tls import names_of, unverified

log = logging.getLogger(__name__)

PHRASES: Mapping[int, str] = {
    HTTPStatus.REQUEST_URI_TOO_LONG: "the first line is too long",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the headers are too long",
}


class Protocol(H11Protocol):
    """A client that talks plain HTTP, or TLS below; `allowed_sans` as in `Access`."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        visit: Visit,
        header_bytes: int,
        allowed_sans: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(config, state, {}, asyncio.get_running_loop())
        self._visit = visit
        self._header_bytes = header_bytes
        self._allowed_sans = allowed_sans
        self._received_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Called by the loop or by TLS."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
        self._visit.begin(transport)
        if (tls := transport.get_extra_info("ssl_object")) and unverified(tls):
            # OpenSSL forgets a session whose connection is cut: the client's next try is verified.
            log.debug("a client goes on with a session in which its certificate was verified earlier")
            self._visit.end()
        elif self._allowed_sans and not self._allowed_sans & set(names_of(transport.get_extra_info("peercert") or {})):
            log.debug("a client's certificate has none of the names in client_allowed_sans")
            self._visit.end()

    def data_received(self, data: bytes) -> None:
        """Called with what the client has sent.

        h11 limits only what it has not understood yet: whatever comes at once is parsed, be it 200 KB of headers.
        """
        if self.transport.is_closing():
            return
        self._received_bytes += len(data)
        if self._received_bytes > self._header_bytes:
            self._refuse(HTTPStatus(431 if b"\n" in self.conn.trailing_data[0] + data[: self._header_bytes] else 414))
            return
        super().data_received(data)
        self._note_work()

    def eof_received(self) -> bool | None:  # type: ignore[override]  # uvicorn never keeps half a connection
        """Called when the client sends no more: it may still wait for its answer."""
        if not self._at_work() or self.scheme == "https":
            return None
        self.cycle.keep_alive = False
        return True

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own argument
        """Called by uvicorn, inside of the handler of what h11 did not like."""
        hint = getattr(sys.exc_info()[1], "error_status_hint", HTTPStatus.BAD_REQUEST)
        self._refuse(HTTPStatus(hint))

    def on_response_complete(self) -> None:
        """Called by uvicorn, which may begin with a request that is here already."""
        self._received_bytes = len(self.conn.trailing_data[0])
        self._visit.wait(Waits.REQUEST)
        super().on_response_complete()
        self._note_work()

    def pause_writing(self) -> None:
        """Called when the client reads too slowly."""
        super().pause_writing()
        if self._at_work():
            self._visit.wait(Waits.READER)

    def resume_writing(self) -> None:
        """Called when it has read."""
        super().resume_writing()
        self._note_work()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called at the end."""
        self._visit.leave()
        super().connection_lost(exc)

    def _at_work(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _note_work(self) -> None:
        """A request that is being answered may take as long as it needs: a live page streams for hours."""
        if self._at_work() and not self.flow.write_paused and not self.transport.is_closing():
            self._visit.wait(Waits.NOTHING)

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer in a line and close; in the middle of another answer, just close."""
        if self._at_work():
            self.cycle.disconnected = True
            self._visit.end()
            return
        body = f"{status.value} {status.phrase}: {PHRASES.get(status, 'this is not HTTP/1.1 as it should be')}\n"
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write((head + body).encode())
        self.transport.close()
