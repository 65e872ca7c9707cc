"""The agent's one sampling thread: reads on an absolute schedule, attributes, and publishes frozen snapshots."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aipower import __version__
from aipower.daemon.mishaps import Mishaps
from aipower.daemon.pace import Pace, Schedule
from aipower.daemon.selfstats import SelfStats
from aipower.ledger import Ledger
from aipower.meter import Meter
from aipower.model import Fault, Snapshot
from aipower.seams import Clock, SensorSet

__all__ = ["Pace", "Sampler"]

log = logging.getLogger(__name__)

GPU_WINDOW_S = 0.95
"""Per-process utilisation is asked for about once a second: more often costs driver time and shows little more."""
BURST_S, DENSE_S = 0.25, 0.005
"""At the start reads are dense, so that the rhythm of the counters is known (see ChangeTimes)."""
STALE_TICKS, STALE_S = 5.0, 10.0
"""No tick for this long means that a sensor hangs."""
STOP_TIMEOUT_S = 2.0
"""A tick takes some hundredths of a second; one that takes this long hangs, and its thread is left behind."""


@dataclass(slots=True)
class _Due:
    """When the windows end."""

    gpu_s: float
    cpu_s: float
    up: dict[str, bool] = field(default_factory=dict)


class Sampler:
    """Drives a `Meter` until it is stopped. Sensors found later are handed over with `add`.

    `give_up` is called, from the sampling thread, when no tick goes well any more.
    """

    def __init__(self, meter: Meter, ledger: Ledger, pace: Pace, clock: Clock, give_up: Callable[[], None]) -> None:
        self._meter = meter
        self._ledger = ledger
        self._pace = pace
        self._clock = clock
        self._give_up = give_up
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aipower-sampler", daemon=True)
        self._newcomers: deque[SensorSet] = deque()
        self._schedule = Schedule(pace.interval_s, clock)
        self._mishaps = Mishaps()
        self._stats = SelfStats()
        self._snapshot: Snapshot | None = None
        self._started_s = clock.monotonic_s()
        self._ticked_s: float | None = None
        self._due = _Due(self._started_s, self._started_s)

    def start(self) -> None:
        """Begin."""
        self._started_s = self._clock.monotonic_s()
        self._thread.start()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End after the tick under way; a sensor that hangs is left behind with its daemon thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def running(self) -> bool:
        """True while the thread lives; after `stop` this means that it hangs."""
        return self._thread.is_alive()

    def add(self, found: SensorSet) -> None:
        """Take in sensors that were found meanwhile, at the next tick."""
        self._newcomers.append(found)

    def has_newcomers(self) -> bool:
        """True while sensors that were added are not all taken in."""
        return bool(self._newcomers)

    def snapshot(self) -> Snapshot | None:
        """The newest snapshot, the same object until the next one; None before the first."""
        return self._snapshot

    def age_s(self) -> float | None:
        """Seconds since the last tick ended; None before the first."""
        return None if self._ticked_s is None else self._clock.monotonic_s() - self._ticked_s

    def stale(self) -> bool:
        """True when ticks have stopped coming, or never came."""
        since_s = self._started_s if self._ticked_s is None else self._ticked_s
        return self._clock.monotonic_s() - since_s > max(STALE_S, STALE_TICKS * self._pace.interval_s)

    def _run(self) -> None:
        self._guarded(self._prepare)
        self._schedule.restart()
        while not self._stop.is_set():
            self._schedule.begin()
            if self._guarded(self._tick):
                self._mishaps.went_well()
            self._schedule.end()
            if self._mishaps.hopeless:
                log.critical("no tick has gone well for a while; giving up")
                self._give_up()
                return
            self._stop.wait(self._schedule.pause_s())
        self._guarded(self._meter.close)

    def _guarded(self, step: Callable[[], None]) -> bool:
        """True if `step` went well. A bug must cost one tick, not all that come after it."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - it may be anything, and it is logged
            self._mishaps.add(error)
            self._ledger.fault(Fault(None, self._clock.monotonic_s(), "internal", retry=True, detail=repr(error)))
            return False
        return True

    def _prepare(self) -> None:
        self._meter.sample()
        self._meter.prime()
        until_s = self._clock.monotonic_s() + BURST_S
        while self._clock.monotonic_s() < until_s and not self._stop.is_set():
            self._meter.sample()
            self._stop.wait(DENSE_S)

    def _tick(self) -> None:
        """Read, and close the windows that end. A window is only over once it is published."""
        began_s = self._clock.monotonic_s()
        gpu = began_s >= self._due.gpu_s
        cpu = gpu and began_s >= self._due.cpu_s
        self._adopt()
        self._meter.sample()
        if gpu:
            self._meter.attribute(("gpu",))
        if cpu:
            self._meter.attribute(("cpu", "dram"))
            self._ledger.retire(began_s)
        self._count_late()
        if gpu:
            self._publish()
            self._due.gpu_s = began_s + max(GPU_WINDOW_S, 0.9 * self._pace.interval_s)
        if cpu:
            self._due.cpu_s = began_s + 0.95 * self._pace.process_interval_s
        self._log_changes(self._due.up)
        self._ticked_s = self._clock.monotonic_s()

    def _adopt(self) -> None:
        """A newcomer leaves the queue only after the meter has it: until then nobody need look for it again."""
        while self._newcomers:
            try:
                self._meter.adopt(self._newcomers[0])
            finally:
                self._newcomers.popleft()

    def _count_late(self) -> None:
        """Count the time without ticks that ends with this one; `Served` has shown it already."""
        if self.stale():
            self._ledger.fault(Fault(None, self._clock.monotonic_s(), "late", retry=True))

    def _publish(self) -> None:
        self._meter.refresh_methods()
        stats = self._stats.take(self._schedule, self._ledger.folded)
        self._snapshot = self._ledger.snapshot(self._clock.unix_s(), __version__, self._meter.powers_w(), stats)

    def _log_changes(self, before: dict[str, bool]) -> None:
        """One line when a sensor fails and one when it is back, not one per tick."""
        for channel in self._meter.channels:
            device = channel.sensor.device
            if before.get(device.id, True) != channel.up:
                text = "is back" if channel.up else "cannot be read"
                log.warning("%s %s (%s) %s", device.kind, device.index, device.id, text)
            before[device.id] = channel.up
