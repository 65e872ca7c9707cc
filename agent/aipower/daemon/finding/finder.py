"""Looks for sensors that are missing: a driver that is loaded later, a GPU that comes back or is added."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence

from aipower.daemon.finding.search import SOONEST_S, Search, Source
from aipower.daemon.finding.steady import SteadyScheduler
from aipower.daemon.sampling.sampler import Sampler
from aipower.meter import Meter
from aipower.model import Fault, Unavailable
from aipower.seams import Clock, SensorSet
from aipower.sensors.offthread import off_thread

log = logging.getLogger(__name__)


class Finder:
    """Looks now and then, for each source on a thread of its own, and hands what it finds to the sampler.

    GPUs are handed over as `off_thread` makes them. `report` is called with faults, from any thread.
    """

    def __init__(
        self,
        meter: Meter,
        sampler: Sampler,
        sources: Iterable[Source],
        clock: Clock,
        report: Callable[[Fault], None] = lambda _: None,
    ) -> None:
        self._meter = meter
        self._sampler = sampler
        self._clock = clock
        self._searches = [Search(source, clock, self._hand_over, report) for source in sources]
        self._scheduler = SteadyScheduler()
        self._lock = threading.Lock()
        self._early: list[SensorSet] | None = None
        """Where to put what is found while `first_look` waits."""

    def first_look(self, patience_s: float) -> SensorSet:
        """What is found within the patience; what comes later goes to the sampler."""
        self._early = []
        until_s = self._clock.monotonic_s() + patience_s
        for search in self._searches:
            search.begin()
        for search in self._searches:
            search.wait(max(0.0, until_s - self._clock.monotonic_s()))
        with self._lock:
            early, self._early = self._early, None
        return _joined(early)

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
        return any(search.looking() for search in self._searches)

    def unavailable(self) -> Sequence[Unavailable]:
        """What cannot be measured now, with reason and remedy."""
        return [missing for search in self._searches for missing in search.refused]

    def waiting(self) -> str:
        """What has not answered yet though it must, for people: what is required, or all while nothing is read."""
        nothing = not self._meter.channels
        names = [s.source.name for s in self._searches if not s.answered and (nothing or s.source.required)]
        return " and ".join(names)

    def trigger(self) -> None:
        """Start the looks that are due. Returns at once: APScheduler's own threads are waited for at exit."""
        if not self._sampler.has_newcomers():
            for search in self._searches:
                search.trigger(self._meter.channels)

    def _hand_over(self, found: SensorSet) -> None:
        new = self._without_known(found)
        if not new.sensors:
            return
        announce(new)
        with self._lock:
            if self._early is not None:
                self._early.append(new)
            else:
                self._sampler.add(new)

    def _without_known(self, found: SensorSet) -> SensorSet:
        """What is not being read, ready to be read; the rest is closed."""
        reading = {channel.sensor.device.id for channel in self._meter.channels if not channel.gone}
        new = [sensor for sensor in found.sensors if sensor.device.id not in reading]
        for sensor in found.sensors:
            if sensor.device.id in reading:
                sensor.close()
        usage = {sensor.device.id: found.usage[sensor.device.id] for sensor in new if sensor.device.id in found.usage}
        return off_thread(SensorSet(new, usage), self._clock)


def announce(found: SensorSet) -> None:
    """One line per device."""
    for sensor in found.sensors:
        device = sensor.device
        log.info("%s %s: %s (%s), %s", device.kind, device.index, device.name, device.id, sensor.facts.method)


def _joined(sets: Sequence[SensorSet]) -> SensorSet:
    usage = {device: source for found in sets for device, source in found.usage.items()}
    return SensorSet([sensor for found in sets for sensor in found.sensors], usage)
