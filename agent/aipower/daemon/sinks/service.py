"""All sinks of the agent. The sampler knows nothing of them, and nobody waits for them but a stop, for a moment."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from msgspec import Struct

from aipower.daemon.sinks.pusher import Newest, Pusher
from aipower.daemon.sinks.tally import HUNG_S
from aipower.model import SinkState
from aipower.seams import Clock
from aipower.sinks import Sink

log = logging.getLogger(__name__)


class Way(Struct, frozen=True):
    """A way out."""

    sink: Sink
    interval_s: float
    """Seconds between two pushes."""


class SinkService:
    """Pushes the newest snapshot to each of `ways`, by name, each at its own pace."""

    def __init__(self, ways: Mapping[str, Way], clock: Clock, hung_s: float = HUNG_S) -> None:
        self._clock = clock
        self._pushers: Sequence[Pusher] = tuple(
            Pusher(name, way.sink, way.interval_s, clock, hung_s) for name, way in ways.items()
        )
        self._asked_s: float | None = None

    def start(self, newest: Newest) -> None:
        """Begin to push what `newest` returns."""
        for pusher in self._pushers:
            pusher.start(newest)

    def ask_end(self) -> None:
        """Have all sinks push once more and end; returns at once. Safe to call twice."""
        if self._asked_s is None:
            self._asked_s = self._clock.monotonic_s()
        for pusher in self._pushers:
            pusher.ask_end()

    def stop(self, timeout_s: float) -> None:
        """`ask_end`, and wait for that. `timeout_s` after the first asking, those that still push are left behind."""
        self.ask_end()
        until_s = (self._asked_s or 0.0) + timeout_s
        for pusher in self._pushers:
            pusher.join(max(0.0, until_s - self._clock.monotonic_s()))
        if left := [pusher.state().name for pusher in self._pushers if pusher.running()]:
            log.warning("left behind, still pushing: sink %s", ", ".join(left))

    def running(self) -> bool:
        """True while a sink has a thread; after `stop` this means that it hangs."""
        return any(pusher.running() for pusher in self._pushers)

    def states(self) -> tuple[SinkState, ...]:
        """How they do; returns at once, whatever they are doing. Any thread may call it."""
        return tuple(pusher.state() for pusher in self._pushers)
