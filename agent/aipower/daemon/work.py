"""The measuring part of the agent: it may hang in a driver at any moment, and the main thread must not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from aipower import __version__
from aipower.daemon.finder import Finder
from aipower.daemon.http import Health
from aipower.daemon.sampler import Sampler
from aipower.daemon.served import STARTING, Served
from aipower.errors import AipowerError
from aipower.model import Snapshot
from aipower.seams import Clock

log = logging.getLogger(__name__)

START_GRACE_S = 0.5
"""How long `stop` waits for a start that is under way."""

End = int | AipowerError
"""Why the agent ends: an exit code, or the error to tell."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is sampled, and what looks for more."""

    sampler: Sampler
    finder: Finder


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
            self._parts.sampler.stop()

    def hangs(self) -> bool:
        """After `stop`: True if a thread is still in a driver, which would hold up the end of the process."""
        parts = self._parts
        return self._thread.is_alive() or (parts is not None and (parts.sampler.running() or parts.finder.looking()))

    def snapshot(self) -> Snapshot:
        """What the pages show now."""
        return self._served.snapshot() if self._served else self._nothing

    def health(self) -> Health:
        """Whether the agent does its work."""
        return self._served.health() if self._served else STARTING

    def _begin(self) -> None:
        try:
            parts = self._wire()
        except AipowerError as error:
            self._end(error)
        except Exception:  # a bug at the start must end the agent: nobody would ever measure
            log.exception("the agent cannot start")
            self._end(1)
        else:
            self._run(parts)

    def _run(self, parts: Parts) -> None:
        if self._stopped.is_set():
            return
        self._parts = parts
        self._served = Served(parts.sampler, self._nothing)
        parts.sampler.start()
        parts.finder.start()
