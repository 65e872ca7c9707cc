"""TLS below the protocol of the pages, with a place from the first byte on and buffers of a reasonable size."""

from __future__ import annotations

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol

from aipower.web.places import WRITE_BUFFER_BYTES, Visit

RECORD_BYTES = 17 * 1024
"""A record of TLS with all around it. Asyncio's buffer of 256 KiB for each connection would be 256 MiB for 1024."""


class TlsLayer(SSLProtocol):
    """Asyncio's TLS, whose handshake counts as a visit. `limit_s` is for the handshake, and for the farewell."""

    max_size = RECORD_BYTES

    def __init__(
        self,
        context: ssl.SSLContext,
        inner: asyncio.Protocol,
        visit: Visit,
        loop: asyncio.AbstractEventLoop,
        limit_s: float,
    ) -> None:
        limits = {"ssl_handshake_timeout": limit_s, "ssl_shutdown_timeout": limit_s}
        super().__init__(loop, inner, context, None, server_side=True, **limits)  # type: ignore[arg-type]  # typeshed knows neither None here nor parts of a second
        self._visit = visit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        if isinstance(transport, asyncio.Transport):
            self._visit.begin(transport)
            transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by the loop."""
        self._visit.leave()
        super().connection_lost(exc)
