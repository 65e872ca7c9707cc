"""The measuring part of the agent: it may hang in a driver at any moment, and the main thread must not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from aipower import __version__
from aipower.daemon.finding.finder import Finder
from aipower.daemon.health import STARTING, Health
from aipower.daemon.runs.service import RunService
from aipower.daemon.sampling.sampler import Sampler
from aipower.daemon.sampling.served import Served
from aipower.daemon.sinks.service import SinkService
from aipower.errors import AipowerError
from aipower.journal.writer import JournalWriter
from aipower.model import Snapshot
from aipower.seams import Clock
from aipower.sensors.calls import hanging

log = logging.getLogger(__name__)

START_GRACE_S = 0.5
"""How long `stop` waits for a start that is under way."""

SAMPLER_STOP_S, RUNS_STOP_S, JOURNAL_STOP_S = 1.5, 0.5, 1.0
"""All together less than the time after which a stop is cut short."""
SINKS_STOP_S = 1.5
"""At the same time as the journal."""

End = int | AipowerError
"""Why the agent ends: an exit code, or the error to tell."""


class Parts(Struct, frozen=True):
    """What is sampled, and what looks for more."""

    sampler: Sampler
    finder: Finder
    journal: JournalWriter | None = None
    """Where the counters outlive the agent."""
    runs: RunService | None = None
    """Where `aipower-run` asks."""
    sinks: SinkService | None = None
    """Where else the snapshots go."""


class Work:
    """Calls `wire` on a thread of its own and runs what it returns; `end` is called if that fails."""

    def __init__(self, wire: Callable[[], Parts], clock: Clock, end: Callable[[End], None]) -> None:
        self._wire = wire
        self._end = end
        self._nothing = Snapshot(clock.unix_s(), __version__)
        self._stopped = threading.Event()
        self._parts: Parts | None = None
        self._served: Served | None = None
        self._thread = threading.Thread(target=self._begin, name="aipower-start", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End what can be ended within about two seconds."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(START_GRACE_S)
        if self._parts is not None:
            self._parts.finder.stop()
            if self._parts.runs is not None:
                self._parts.runs.stop(RUNS_STOP_S)
            self._parts.sampler.stop(SAMPLER_STOP_S)
            if self._parts.sinks is not None:
                self._parts.sinks.ask_end()
            if self._parts.journal is not None:
                self._parts.journal.close(JOURNAL_STOP_S)
            if self._parts.sinks is not None:
                self._parts.sinks.stop(SINKS_STOP_S)

    def hangs(self) -> bool:
        """After `stop`: True if a thread is still in a driver or a sink; it would hold up the end of the process."""
        parts = self._parts
        looks = parts is not None and (parts.sampler.running() or parts.finder.looking())
        pushes = parts is not None and parts.sinks is not None and parts.sinks.running()
        return self._thread.is_alive() or looks or pushes or bool(hanging())

    def flushed(self, snapshot: Snapshot, timeout_s: float) -> bool:
        """True once `snapshot` is on the disk, or where none is kept; see `JournalWriter.flushed`."""
        journal = self._parts.journal if self._parts else None
        return journal is None or journal.flushed(snapshot, timeout_s)

    def snapshot(self) -> Snapshot:
        """What the pages show now."""
        return self._served.snapshot() if self._served else self._nothing

    def health(self) -> Health:
        """Whether the agent does its work; it is starting as long as what it must have does not answer."""
        if self._parts is None or self._served is None:
            return STARTING
        health, waiting = self._served.health(), self._parts.finder.waiting()
        if not (health.ok and waiting):
            return health
        return replace(health, ok=False, reason=f"{waiting} has not answered yet", starting=True)

    def _begin(self) -> None:
        try:
            self._run(self._wire())
        except AipowerError as error:
            self._end(error)
        except Exception:  # a bug at the start, or no thread to spare, must end the agent: nobody would ever measure
            log.exception("the agent cannot start")
            self._end(1)

    def _run(self, parts: Parts) -> None:
        if self._stopped.is_set():
            return
        self._parts = parts
        self._served = Served(parts.sampler, self._nothing)
        if parts.journal is not None:
            parts.journal.start()
        parts.sampler.start()
        parts.finder.start()
        if parts.sinks is not None:
            parts.sinks.start(self._newest)
        if parts.runs is not None:
            self._open_runs(parts.runs)

    def _newest(self) -> Snapshot | None:
        """What sinks get: what the pages show, but nothing before the first sample."""
        sampled = self._parts is not None and self._parts.sampler.snapshot() is not None
        return self.snapshot() if sampled else None

    def _open_runs(self, runs: RunService) -> None:
        """Without its socket the agent does the rest of its work."""
        try:
            runs.start()
        except AipowerError as error:
            log.warning("%s", error)
