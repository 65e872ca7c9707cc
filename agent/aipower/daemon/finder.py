"""Looks for sensors that are missing: a driver that is loaded later, a GPU that comes back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apscheduler.schedulers.background import BackgroundScheduler

from aipower.channel import Channel
from aipower.daemon.sampler import Sampler
from aipower.errors import AipowerError
from aipower.meter import Meter
from aipower.seams import Clock, SensorSet

log = logging.getLogger(__name__)

SOONEST_S, LATEST_S = 5.0, 60.0
"""Seconds between two looks: each loads the driver, which costs CPU time and wakes sleeping GPUs."""
PATIENCE = 20
"""A look is worth its cost after a twentieth of the time that has passed without news."""

Look = Callable[[tuple[str, ...]], SensorSet]
"""Finds the sensors of the sources that are named. It may hang."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not being read."""

    sources: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    """The ids of devices that have left."""


def missing(sources: Sequence[str], channels: Sequence[Channel]) -> Missing:
    """Those of `sources` that have no sensor, or one whose device has left."""
    reading = {_source_of(channel) for channel in channels if not channel.gone}
    lost = {_source_of(channel) for channel in channels if channel.gone}
    wanted = tuple(source for source in sources if source not in reading or source in lost)
    return Missing(wanted, frozenset(channel.sensor.device.id for channel in channels if channel.gone))


def rest_s(waited_s: float) -> float:
    """Seconds until the next look, after `waited_s` without news."""
    return min(LATEST_S, max(SOONEST_S, waited_s / PATIENCE))


class Finder:
    """Looks now and then, on a thread of its own, and hands what it finds to the sampler."""

    def __init__(self, meter: Meter, sampler: Sampler, sources: Sequence[str], look: Look, clock: Clock) -> None:
        self._meter = meter
        self._sampler = sampler
        self._sources = sources
        self._look = look
        self._clock = clock
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._thread: threading.Thread | None = None
        self._missing = Missing()
        self._since_s = self._next_s = clock.monotonic_s()

    def start(self) -> None:
        """Begin."""
        self._scheduler.add_job(self.trigger, "interval", seconds=SOONEST_S, max_instances=1, coalesce=True)
        self._scheduler.start()

    def stop(self) -> None:
        """Start no more looks; one that hangs is left behind with its daemon thread."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def looking(self) -> bool:
        """True while a look is under way; after `stop` it may be one that hangs."""
        return self._thread is not None and self._thread.is_alive()

    def trigger(self) -> None:
        """Start a look if one is due. Returns at once: APScheduler's own threads are waited for at exit."""
        if self.looking() or self._sampler.has_newcomers():
            return
        now_s = self._clock.monotonic_s()
        lacking = missing(self._sources, self._meter.channels)
        if lacking != self._missing:
            self._missing, self._since_s, self._next_s = lacking, now_s, now_s
        # Triggers come at about the same pace; one that is a little early must not wait for the next.
        if not lacking.sources or now_s < self._next_s - SOONEST_S / 2:
            return
        self._next_s = now_s + rest_s(now_s - self._since_s)
        self._thread = threading.Thread(target=self._find, args=(lacking.sources,), name="aipower-find", daemon=True)
        self._thread.start()

    def _find(self, sources: tuple[str, ...]) -> None:
        try:
            self._hand_over(self._look(sources))
        except AipowerError as error:
            log.debug("%s", error)
        except Exception:  # a driver may fail in any way, and the next look may work
            log.exception("looking for %s has failed", ", ".join(sources))

    def _hand_over(self, found: SensorSet) -> None:
        reading = {channel.sensor.device.id for channel in self._meter.channels if not channel.gone}
        new = [sensor for sensor in found.sensors if sensor.device.id not in reading]
        for sensor in found.sensors:
            if sensor.device.id in reading:
                sensor.close()
        if new:
            log.info("found %s", ", ".join(sensor.device.id for sensor in new))
            self._sampler.add(SensorSet(new, found.usage))


def _source_of(channel: Channel) -> str:
    return "nvml" if channel.sensor.device.kind == "gpu" else "rapl"
