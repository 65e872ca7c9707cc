"""The places for connections, each with a time limit: a newcomer always finds one that a silent client held."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

RESERVED_DESCRIPTORS = 128
"""For sensors, files of /proc, pipes and sockets of the rest of the agent, and connections that are being closed."""
MIN_CONNECTIONS = 8
WRITE_BUFFER_BYTES = 16 * 1024
"""Of an answer that a client does not read, this much waits here, and about as much again on the way."""


class Limits(Struct, frozen=True):
    """What clients may cost."""

    connections: int = 1024
    """At once, or as many as the limit of descriptors leaves room for. For the next one the client leaves that has
    kept the agent waiting longest for a whole request, or else for the reading of its answer."""
    keep_alive_s: int = 5
    """An idle connection is closed after this."""
    request_s: float = 10
    """For a whole request, from the connection (with TLS and all) or the last answer on, however it trickles."""
    write_s: float = 10
    """A client that has not taken `WRITE_BUFFER_BYTES` of its answer in this time is cut off."""
    header_bytes: int = 16 * 1024

    def places(self) -> int:
        """Connections at once, as far as the descriptors go."""
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if descriptors == resource.RLIM_INFINITY:
            return self.connections
        return min(self.connections, max(MIN_CONNECTIONS, descriptors - RESERVED_DESCRIPTORS))


class Waits(Enum):
    """What the agent waits for."""

    REQUEST = "request"
    READER = "reader"
    NOTHING = "nothing"
    """It is at work itself."""


class Places:
    """Who is here, in the order in which they began to keep us waiting."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._places = limits.places()
        self._lines: Mapping[Waits, dict[Visit, None]] = {kind: {} for kind in Waits}

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def full(self) -> bool:
        """True if somebody must leave before the next one may come."""
        return len(self) >= self._places

    def make_room(self) -> bool:
        """Send away who has kept us waiting longest; False if all are being served."""
        for kind in (Waits.REQUEST, Waits.READER):
            for visit in self._lines[kind]:
                visit.end()
                return True
        return False

    def dismiss(self) -> None:
        """Send away everybody."""
        for line in self._lines.values():
            for visit in list(line):
                visit.end()

    def line_up(self, visit: Visit, kind: Waits) -> None:
        """Put `visit` at the end of a line."""
        self.leave(visit)
        self._lines[kind][visit] = None

    def leave(self, visit: Visit) -> None:
        """Take `visit` out of its line."""
        for line in self._lines.values():
            line.pop(visit, None)


class Visit:
    """One connection: its place and its time limit."""

    def __init__(self, places: Places, loop: asyncio.AbstractEventLoop) -> None:
        self._places = places
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        """Take a place. A second time, with TLS under way, changes nothing."""
        if self._transport is not None:
            return
        self._transport = transport
        if self._places.full() and not self._places.make_room():
            transport.abort()
            return
        self.wait(Waits.REQUEST)

    def wait(self, kind: Waits) -> None:
        """From now on it is this that keeps us, and not for ever."""
        self._forget_deadline()
        limits = self._places.limits
        self._places.line_up(self, kind)
        if kind is not Waits.NOTHING:
            limit_s = limits.request_s if kind is Waits.REQUEST else limits.write_s
            self._deadline = self._loop.call_later(limit_s, self.end)

    def end(self) -> None:
        """Cut the connection and give its place to others at once."""
        self.leave()
        if self._transport is not None:
            self._transport.abort()

    def leave(self) -> None:
        """The connection is gone."""
        self._forget_deadline()
        self._places.leave(self)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
