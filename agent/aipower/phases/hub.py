"""Who listens to this process: the `aipower-run` around it, and measurements within it."""

from __future__ import annotations

import os
from collections import deque

from aipower.phases.channel import our_pipe

MOST_WAITING = 100_000
"""Messages that wait in the process for a measurement that does not fetch them; the oldest are lost."""


class Sink:
    """What this process tells while a measurement of its own is listening."""

    __slots__ = ("_pid", "_waiting")

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)

    def open(self) -> None:
        """Listen from now on."""
        HUB.sinks.append(self)

    def close(self) -> None:
        """Listen no more; what was heard can still be read."""
        if self in HUB.sinks:
            HUB.sinks.remove(self)

    def read(self) -> bytes:
        """What was told since the last call."""
        heard: list[bytes] = []
        while self._waiting:
            heard.append(self._waiting.popleft())
        return b"".join(heard)

    def put(self, line: bytes) -> None:
        """Take in a message. A forked child has nobody who would read it."""
        if self._pid == os.getpid():
            self._waiting.append(line)
        else:
            self.close()


class Hub:
    """Sends to all who listen."""

    __slots__ = ("sinks",)

    def __init__(self) -> None:
        self.sinks: list[Sink] = []

    def send(self, line: bytes, *, owed: bool = False) -> bool:
        """True if somebody has it; see `Channel.send`."""
        heard = False
        for sink in tuple(self.sinks) if self.sinks else ():
            sink.put(line)
            heard = True
        pipe = our_pipe()
        return heard if pipe is None else pipe.send(line, owed=owed) or heard


HUB = Hub()
"""The process's one: phases are named wherever the program is, and it cannot hand anything to them.

Whoever tells something asks first whether `HUB.sinks or our_pipe()` is there; it stands there in full, as another call
would be a fifth of what a phase costs when nobody listens.
"""
