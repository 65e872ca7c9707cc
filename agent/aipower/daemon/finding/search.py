"""Looking for the sensors of one source again and again, on a thread of its own, as a look may hang."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

from aipower.channel import Channel
from aipower.errors import AipowerError
from aipower.model import Fault, Kind, Unavailable
from aipower.seams import Clock, SensorSet
from aipower.sensors.calls import HUNG

log = logging.getLogger(__name__)

SOONEST_S, LATEST_S = 5.0, 60.0
"""Seconds between two looks."""
CHEAP_S = 0.02
"""A look that takes no longer may always come soon. Where no GPU is read each loads the driver, and wakes GPUs."""
PATIENCE = 20
"""A look that takes longer is worth its cost after a twentieth of the time that has passed without news."""
HANGS_S = 5.0
"""A driver that is loaded for the first time takes some seconds."""

Look = Callable[[frozenset[str]], SensorSet]
"""Finds the sensors of a source; those of the devices that are named are known and may be left out. It may hang."""


def no_signs() -> object:
    """Nothing tells that a look would be worth its cost."""
    return None


class Source(Struct, frozen=True):
    """Where sensors of one kind come from."""

    name: str
    """For people: `GPU (NVML)`."""
    kinds: frozenset[Kind]
    look: Look
    grows: bool = False
    """True where devices may be added while others are well."""
    signs: Callable[[], object] = no_signs
    """What is cheaply known of the devices: when it changes, a look is due."""
    required: bool = False
    """True where the agent is not ready before it was found."""


class Missing(Struct, frozen=True):
    """What is not being read of a source."""

    all: bool = False
    """True while none of its devices is known."""
    gone: frozenset[str] = frozenset()
    """The ids of devices that have left."""
    refused: tuple[Unavailable, ...] = ()
    """What the latest look has seen and could not open."""

    def __bool__(self) -> bool:
        """True if anything is missing."""
        return self.all or bool(self.gone or self.refused)


def missing(source: Source, channels: Sequence[Channel], refused: Sequence[Unavailable] = ()) -> Missing:
    """What of `source` is not among `channels`, where the latest look could not open `refused`."""
    own = [channel for channel in channels if channel.sensor.device.kind in source.kinds]
    gone = frozenset(channel.sensor.device.id for channel in own if channel.gone)
    return Missing(not own, gone, tuple(refused) if source.grows else ())


def rest_s(waited_s: float, cost_s: float) -> float:
    """Seconds until the next look, after `waited_s` without news, where one takes `cost_s`."""
    return SOONEST_S if cost_s <= CHEAP_S else min(LATEST_S, max(SOONEST_S, waited_s / PATIENCE))


class Search:
    """The looks for one source. `found` is called with what one has found, on the look's own thread."""

    def __init__(
        self, source: Source, clock: Clock, found: Callable[[SensorSet], None], report: Callable[[Fault], None]
    ) -> None:
        self.source = source
        self.answered = False
        """True once a look has ended."""
        self._clock = clock
        self._found = found
        self._report = report
        self._thread: threading.Thread | None = None
        self._told = False
        self._refused: tuple[Unavailable, ...] = ()
        self._missing: Missing | None = None
        self._signs: object = None
        self._costs_s: deque[float] = deque([math.inf], maxlen=2)
        """How long the latest looks took: of two, as one may have met a busy moment."""
        self._since_s = self._looked_s = clock.monotonic_s()

    @property
    def refused(self) -> Sequence[Unavailable]:
        """What the latest look has seen and could not open."""
        return self._refused

    def looking(self) -> bool:
        """True while a look is under way; it may be one that hangs."""
        return self._thread is not None and self._thread.is_alive()

    def trigger(self, channels: Sequence[Channel]) -> None:
        """Start a look if one is due, and tell of one that hangs. Returns at once."""
        now_s = self._clock.monotonic_s()
        if self.looking():
            self._tell_of_hang(now_s)
            return
        if self._told:
            self._told = False
            log.info("%s answers again", self.source.name)
        if self._due(missing(self.source, channels, self._refused), now_s):
            self.begin(frozenset(channel.sensor.device.id for channel in channels if not channel.gone))

    def begin(self, known: frozenset[str] = frozenset()) -> None:
        """Start a look."""
        self._looked_s = self._clock.monotonic_s()
        self._thread = threading.Thread(target=self._look, args=(known,), name="aipower-find", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> None:
        """Return when the look under way has ended, or after the timeout."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _due(self, lacking: Missing, now_s: float) -> bool:
        signs = self.source.signs()
        if (lacking, signs) != (self._missing, self._signs):
            self._missing, self._signs, self._since_s = lacking, signs, now_s
            return bool(lacking) or self.source.grows
        if not lacking:
            pause_s = LATEST_S if self.source.grows else math.inf
        else:
            pause_s = rest_s(now_s - self._since_s, min(self._costs_s))
        # Triggers come at about the same pace; one that is a little early must not wait for the next.
        return now_s - self._looked_s >= pause_s - SOONEST_S / 2

    def _look(self, known: frozenset[str]) -> None:
        try:
            found = self.source.look(known)
            self._note(found.unavailable)
            self._found(found)
        except AipowerError as error:
            log.debug("%s", error)
        except Exception:  # a driver may fail in any way, and the next look may work
            log.exception("looking for %s has failed", self.source.name)
        self._costs_s.append(self._clock.monotonic_s() - self._looked_s)
        self.answered = True

    def _note(self, unavailable: Sequence[Unavailable]) -> None:
        """One line for what could not be opened, unless the look before has had it too."""
        before, self._refused = self._refused, tuple(unavailable)
        for new in [refused for refused in unavailable if refused not in before]:
            log.warning("%s not measured: %s; %s", new.source, new.reason, new.remedy)
            if new.reason == HUNG:
                self._report(Fault(None, self._clock.monotonic_s(), "hung", retry=True, detail=new.source))

    def _tell_of_hang(self, now_s: float) -> None:
        if self._told or now_s - self._looked_s < HANGS_S:
            return
        self._told = True
        log.warning("%s does not answer: its devices join when it does; other sensors go on", self.source.name)
        self._report(Fault(None, now_s, "hung", retry=True, detail=self.source.name))
