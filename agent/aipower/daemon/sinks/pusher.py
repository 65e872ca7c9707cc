"""One sink on a thread of its own. It takes the newest snapshot when it is ready for one; nothing ever queues."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from aipower.daemon.sinks.tally import HUNG_S, Tally
from aipower.daemon.sinks.timetable import Timetable
from aipower.model import SinkState, Snapshot
from aipower.seams import Clock
from aipower.sinks import Sink, SinkError

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Pause between looks for a snapshot that is newer than the one that was pushed."""

Newest = Callable[[], Snapshot | None]
"""The newest snapshot, the same object until the next one; None before the first. It returns at once."""


class Pusher:
    """Pushes to `sink` every `interval_s` until it is told to end; then once more, and closes it."""

    def __init__(self, name: str, sink: Sink, interval_s: float, clock: Clock, hung_s: float = HUNG_S) -> None:
        self._sink = sink
        self._interval_s = interval_s
        self._clock = clock
        self._tally = Tally(name, interval_s, clock, hung_s)
        self._table = Timetable(interval_s, clock.monotonic_s())
        self._newest: Newest = lambda: None
        self._arrived: Snapshot | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"aipower-sink-{name}", daemon=True)

    def start(self, newest: Newest) -> None:
        """Begin to push what `newest` returns."""
        self._newest = newest
        self._thread.start()

    def ask_end(self) -> None:
        """Have it push the newest snapshot and end; returns at once."""
        self._ending.set()

    def join(self, timeout_s: float) -> None:
        """Wait until it has ended, for `timeout_s` at most."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def running(self) -> bool:
        """True while the thread lives; some time after `ask_end` this means that the sink hangs."""
        return self._thread.is_alive()

    def state(self) -> SinkState:
        """How it does; returns at once."""
        return self._tally.state()

    def _run(self) -> None:
        pause_s = 0.0
        while not self._ending.wait(pause_s):
            pause_s = self._turn()
        self._turn()
        self._guarded(self._sink.close)

    def _turn(self) -> float:
        """Push the newest snapshot if there is a new one; the seconds until the next look."""
        snapshot = self._look()
        if snapshot is None or snapshot is self._arrived:
            return min(LOOK_S, self._interval_s)
        self._tally.begin()
        if self._guarded(lambda: self._sink.push(snapshot)):
            self._arrived = snapshot
            self._tally.arrived()
            self._table.arrived(self._clock.monotonic_s())
        else:
            self._table.failed(self._clock.monotonic_s())
        return self._table.pause_s(self._clock.monotonic_s())

    def _look(self) -> Snapshot | None:
        """The newest snapshot; a bug there must not end this thread without a word."""
        found: list[Snapshot | None] = []
        self._guarded(lambda: found.append(self._newest()))
        return found[0] if found else None

    def _guarded(self, step: Callable[[], None]) -> bool:
        """True if `step` went well. Whatever it raises must cost this step only."""
        try:
            step()
        except SinkError as error:
            self._tally.failed(error.reason, str(error))
        except BaseException as error:  # a sink of others may raise anything, SystemExit too
            self._tally.failed("internal", f"a bug: {error!r}")
            log.debug("the bug in the sink", exc_info=error)
        else:
            return True
        return False
