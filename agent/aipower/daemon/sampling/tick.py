"""One tick of the agent: read, close the windows that end, publish."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from aipower import __version__
from aipower.books.drafts import Draft
from aipower.books.ledger import Ledger
from aipower.books.resume import SUSPENDED_S
from aipower.daemon.sampling.pace import Pace, Schedule
from aipower.daemon.sampling.selfstats import SelfStats
from aipower.meter import Meter
from aipower.model import Fault, JournalState, SinkState, Unavailable
from aipower.seams import Clock, SensorSet

log = logging.getLogger(__name__)

PUBLISH_S = 0.95
"""What is read is published about once a second."""
GPU_WINDOW_S = 1.95
"""The energy of GPUs is split about every two seconds, which is most of what watching costs (docs/decisions/029). The
driver keeps samples of who worked for ten."""
RUN_WINDOW_S = 0.95
"""While a run is measured: its record tells phases and processes apart by these windows."""

LIMITS_S = 60.0
"""Between two looks at the devices' power limits."""


class Errands(Protocol):
    """What else is done on the sampler's thread, between its ticks: the runs that the agent measures."""

    def advance(self) -> None:
        """The sensors have been read."""
        ...

    def window(self) -> None:
        """A window of the GPUs has been closed."""
        ...

    def tapped(self, found: SensorSet) -> SensorSet:
        """Sensors that were found later, as they are to be read."""
        ...

    def suspended(self, now_s: float, slept_s: float, *, read: bool) -> None:
        """The machine slept until now; with `read` the latest readings may be of before it or of after it."""
        ...

    def work(self) -> None:
        """Do what is due now."""
        ...

    def pause_s(self) -> float:
        """Seconds until there is something to do; infinite for nothing."""
        ...

    def running(self) -> bool:
        """True while a run is measured."""
        ...


class Keeper(Protocol):
    """Keeps the counters on disk."""

    def take_faults(self) -> Sequence[Fault]:
        """What went wrong since the last call."""
        ...

    def state(self) -> JournalState:
        """How it does."""
        ...

    def offer(self, draft: Draft) -> None:
        """Take the newest; it need not be made before it is written."""
        ...


class Recorder(Protocol):
    """Keeps what was measured for a while, for those who look."""

    def tick(self, at_s: float, powers_w: Mapping[str, float | None]) -> None:
        """The power of the devices that are up, read just now."""
        ...

    def shift(self, slept_s: float) -> None:
        """The machine was suspended, and the monotonic clock with it: all of before is so much longer ago."""
        ...


class NoRecorder:
    """Keeps nothing."""

    def tick(self, at_s: float, powers_w: Mapping[str, float | None]) -> None:
        """Nothing."""

    def shift(self, slept_s: float) -> None:
        """Nothing."""


class Outside:
    """What other parts of the agent have to say beside the measurements; set once they are made."""

    def __init__(self) -> None:
        self.unavailable: Callable[[], Sequence[Unavailable]] = tuple
        self.sinks: Callable[[], Sequence[SinkState]] = tuple


class NoErrands:
    """Nothing else."""

    def advance(self) -> None:
        """Nothing."""

    def window(self) -> None:
        """Nothing."""

    def tapped(self, found: SensorSet) -> SensorSet:
        """As they are."""
        return found

    def suspended(self, now_s: float, slept_s: float, *, read: bool) -> None:
        """Nothing."""

    def work(self) -> None:
        """Nothing."""

    def pause_s(self) -> float:
        """Never."""
        return math.inf

    def running(self) -> bool:
        """No."""
        return False


class _Due(Struct):
    """When the windows end, and what else is due."""

    publish_s: float
    cpu_s: float
    limits_s: float
    gpu_since_s: float
    """When the last window of the GPUs ended."""
    up: dict[str, bool] = field(default_factory=dict)


def asleep_s() -> float:
    """Seconds for which the machine was suspended since it was booted."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()


class Tick:
    """Drives a meter once per call."""

    def __init__(
        self,
        meter: Meter,
        ledger: Ledger,
        pace: Pace,
        clock: Clock,
        errands: Errands,
        keeper: Keeper | None = None,
        outside: Outside | None = None,
        recorder: Recorder | None = None,
        asleep_s: Callable[[], float] = asleep_s,
    ) -> None:
        self.pace = pace
        self._meter = meter
        self._ledger = ledger
        self._clock = clock
        self._errands = errands
        self._keeper = keeper
        self._outside = outside or Outside()
        self._recorder = recorder or NoRecorder()
        self._asleep_s = asleep_s
        self._slept_s = asleep_s()
        meter.on_read(self._notice_sleep)
        self._stats = SelfStats()
        now_s = clock.monotonic_s()
        self._due = _Due(now_s, now_s, now_s, now_s - GPU_WINDOW_S)

    def run(self, schedule: Schedule, *, late: Callable[[], bool]) -> Draft | None:
        """Read, and close the windows that end; what is to be published now. A window is only over once it is.

        `late` says, once all is read, if the time without ticks that ends with this one is to be counted.
        """
        began_s = self._clock.monotonic_s()
        due = self._due
        publish = began_s >= due.publish_s
        gpu, cpu = publish and began_s - due.gpu_since_s >= self._gpu_window_s(), publish and began_s >= due.cpu_s
        self._meter.sample()
        self._recorder.tick(began_s, self._meter.powers_w())
        self._errands.advance()
        if gpu:
            self._meter.attribute(("gpu",))
            self._errands.window()
            due.gpu_since_s = began_s
        if cpu:
            self._meter.attribute(("cpu", "dram"))
            self._ledger.retire(began_s)
            self._look_at_limits(began_s)
            due.cpu_s = began_s + 0.95 * self.pace.process_interval_s
        if late():
            self._ledger.fault(Fault(None, self._clock.monotonic_s(), "late", retry=True))
        draft = self._draft(schedule) if publish else None
        if publish:
            due.publish_s = began_s + max(PUBLISH_S, 0.9 * self.pace.interval_s)
        self._log_changes(due.up)
        return draft

    def _gpu_window_s(self) -> float:
        """Who wants to hear of processes more often hears of those on GPUs more often too."""
        if self._errands.running():
            return RUN_WINDOW_S
        return min(GPU_WINDOW_S, max(RUN_WINDOW_S, 0.95 * self.pace.process_interval_s))

    def _look_at_limits(self, now_s: float) -> None:
        """Administrators change them rarely, and each look is a call into the driver."""
        if now_s >= self._due.limits_s:
            self._due.limits_s = now_s + LIMITS_S
            self._meter.refresh_limits()

    def _draft(self, schedule: Schedule) -> Draft:
        self._meter.refresh_methods()
        for fault in self._keeper.take_faults() if self._keeper else ():
            self._ledger.fault(fault)
        draft = self._ledger.draft(
            self._clock.unix_s(),
            __version__,
            self._meter.powers_w(),
            self._stats.take(schedule, self._ledger.folded),
            self._meter.positions(),
            self._keeper.state() if self._keeper else None,
            self._slept_s,
        )
        draft = draft.beside(self._outside.unavailable(), self._outside.sinks())
        if self._keeper:
            self._keeper.offer(draft)
        return draft

    def _notice_sleep(self, read: bool) -> None:  # noqa: FBT001 - the meter calls it, with nothing else
        """Counters may have stood still, run on or begun anew while the machine slept: none of it is believed.

        Called before and after each read, also those of errands. `read` is true where sensors were read meanwhile,
        nobody knows if before the sleep or after it.
        """
        before_s, self._slept_s = self._slept_s, self._asleep_s()
        slept_s = self._slept_s - before_s
        if slept_s > SUSPENDED_S:
            log.warning("the machine was suspended for %.1f s; what it used meanwhile is not known", slept_s)
            now_s = self._clock.monotonic_s()
            self._meter.resume_after_sleep(now_s, slept_s, read=read)
            self._errands.suspended(now_s, slept_s, read=read)
            self._recorder.shift(slept_s)

    def _log_changes(self, before: dict[str, bool]) -> None:
        """One line when a sensor fails and one when it is back, not one per tick."""
        for channel in self._meter.channels:
            device = channel.sensor.device
            if before.get(device.id, True) != channel.up:
                text = "is back" if channel.up else "cannot be read"
                log.warning("%s %s (%s) %s", device.kind, device.index, device.id, text)
            before[device.id] = channel.up
