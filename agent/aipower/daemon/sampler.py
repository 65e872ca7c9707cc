"""The agent's one sampling thread: reads on an absolute schedule, attributes, and publishes frozen snapshots."""

from __future__ import annotations

import logging
import queue
import random
import resource
import threading
from dataclasses import dataclass, field

import psutil

from aipower import __version__
from aipower.ledger import Ledger
from aipower.meter import Meter
from aipower.model import AgentStats, Snapshot
from aipower.seams import Clock, SensorSet

log = logging.getLogger(__name__)

GPU_WINDOW_S = 0.95
"""Per-process utilisation is asked for about once a second: more often costs driver time and shows little more."""
JITTER = 0.03
"""Share of the interval by which ticks are moved at random, so that a periodic load is not met in one phase."""
BURST_S, DENSE_S = 0.25, 0.005
"""At the start reads are dense, so that the rhythm of the counters is known (see ChangeTimes)."""
STALE_TICKS, STALE_S = 5.0, 10.0
"""No tick for this long means that a sensor hangs."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often what is done, in seconds."""

    interval_s: float
    process_interval_s: float


@dataclass(slots=True)
class _Punctuality:
    """How well the schedule is kept."""

    ticks: int = 0
    busy_s: float = 0.0
    late_s: float = 0.0
    missed: int = 0


@dataclass(slots=True)
class _Due:
    """When the windows end."""

    gpu_s: float
    cpu_s: float
    up: dict[str, bool] = field(default_factory=dict)


class Sampler:
    """Drives a `Meter` until it is stopped. Sensors found later are handed over with `add`."""

    def __init__(self, meter: Meter, ledger: Ledger, pace: Pace, clock: Clock) -> None:
        self._meter = meter
        self._ledger = ledger
        self._pace = pace
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aipower-sampler", daemon=True)
        self._newcomers: queue.SimpleQueue[SensorSet] = queue.SimpleQueue()
        self._times = _Punctuality()
        self._process = psutil.Process()
        self._dice = random.Random()  # noqa: S311 - jitter, not a secret
        self._snapshot: Snapshot | None = None
        self._ticked_s: float | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End after the tick under way; a sensor that hangs is left behind with its daemon thread."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def add(self, found: SensorSet) -> None:
        """Take in sensors that were found meanwhile, at the next tick."""
        self._newcomers.put(found)

    def snapshot(self) -> Snapshot | None:
        """The newest snapshot, the same object until the next one; None before the first."""
        return self._snapshot

    def age_s(self) -> float | None:
        """Seconds since the last tick ended; None before the first."""
        return None if self._ticked_s is None else self._clock.monotonic_s() - self._ticked_s

    def stale(self) -> bool:
        """True when ticks have stopped coming."""
        age_s = self.age_s()
        return age_s is None or age_s > max(STALE_S, STALE_TICKS * self._pace.interval_s)

    def _run(self) -> None:
        try:
            self._loop()
        except Exception:  # the one broad except of the agent: a bug must show as ill health, not as silence
            log.exception("the sampler has stopped")
            self._ticked_s = None

    def _loop(self) -> None:
        self._meter.sample()
        self._meter.prime()
        self._burst()
        now_s = self._clock.monotonic_s()
        due = _Due(now_s, now_s)
        next_s = now_s
        while not self._stop.is_set():
            self._tick(due)
            next_s = self._schedule(next_s)
            jitter_s = self._dice.uniform(0, JITTER * self._pace.interval_s)
            self._stop.wait(max(0.0, next_s + jitter_s - self._clock.monotonic_s()))
        self._meter.close()

    def _burst(self) -> None:
        until_s = self._clock.monotonic_s() + BURST_S
        while self._clock.monotonic_s() < until_s and not self._stop.is_set():
            self._meter.sample()
            self._stop.wait(DENSE_S)

    def _tick(self, due: _Due) -> None:
        began_s = self._clock.monotonic_s()
        while not self._newcomers.empty():
            self._meter.adopt(self._newcomers.get())
        self._meter.sample()
        if began_s >= due.gpu_s:
            due.gpu_s = began_s + max(GPU_WINDOW_S, 0.9 * self._pace.interval_s)
            self._meter.attribute(("gpu",))
            if began_s >= due.cpu_s:
                due.cpu_s = began_s + 0.95 * self._pace.process_interval_s
                self._meter.attribute(("cpu", "dram"))
                self._ledger.retire(began_s)
            self._publish()
        self._log_changes(due.up)
        self._ticked_s = self._clock.monotonic_s()
        self._times.ticks += 1
        self._times.busy_s += self._ticked_s - began_s

    def _schedule(self, planned_s: float) -> float:
        """The next planned tick; ticks whose time has passed are counted and left out."""
        next_s = planned_s + self._pace.interval_s
        behind_s = self._clock.monotonic_s() - next_s
        if behind_s <= 0:
            return next_s
        self._times.late_s += behind_s
        missed = int(behind_s / self._pace.interval_s)
        self._times.missed += missed
        return next_s + missed * self._pace.interval_s

    def _publish(self) -> None:
        self._snapshot = self._ledger.snapshot(
            self._clock.unix_s(), __version__, self._meter.powers_w(), self._stats()
        )

    def _stats(self) -> AgentStats:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return AgentStats(
            usage.ru_utime + usage.ru_stime,
            self._process.memory_info().rss,
            self._times.ticks,
            self._times.busy_s,
            self._times.late_s,
            self._times.missed,
            self._ledger.folded,
        )

    def _log_changes(self, before: dict[str, bool]) -> None:
        """One line when a sensor fails and one when it is back, not one per tick."""
        for channel in self._meter.channels:
            device = channel.sensor.device
            if before.get(device.id, True) != channel.up:
                text = "is back" if channel.up else "cannot be read"
                log.warning("%s %s (%s) %s", device.kind, device.index, device.id, text)
            before[device.id] = channel.up
