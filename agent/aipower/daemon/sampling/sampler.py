"""The agent's one sampling thread: ticks on an absolute schedule, and what others ask of it in between."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from aipower.books.drafts import Draft
from aipower.books.ledger import Ledger
from aipower.daemon.sampling.mishaps import Mishaps
from aipower.daemon.sampling.pace import Pace, Schedule
from aipower.daemon.sampling.tick import Errands, Keeper, NoErrands, Outside, Recorder, Tick
from aipower.meter import Meter
from aipower.model import Fault, Snapshot
from aipower.seams import Clock, SensorSet

__all__ = ["Pace", "Sampler"]

log = logging.getLogger(__name__)

_T = TypeVar("_T")

BURST_S, DENSE_S = 0.25, 0.005
"""At the start reads are dense, so that the rhythm of the counters is known (see ChangeTimes)."""
STALE_TICKS, STALE_S = 5.0, 10.0
"""No tick for this long means that a sensor hangs."""
MOST_QUESTIONS = 16
"""Answered at a time, so that those who ask do not keep the sampler from its ticks."""
STOP_TIMEOUT_S = 2.0
"""A tick takes some hundredths of a second; one that takes this long hangs, and its thread is left behind."""


class Sampler:
    """Drives a `Meter` until it is stopped. Sensors found later are handed over with `add`.

    `give_up` is called, from the sampling thread, when no tick goes well any more.
    """

    def __init__(
        self,
        meter: Meter,
        ledger: Ledger,
        pace: Pace,
        clock: Clock,
        give_up: Callable[[], None],
        errands: Errands | None = None,
        keeper: Keeper | None = None,
        outside: Outside | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._meter = meter
        self._ledger = ledger
        self._clock = clock
        self._give_up = give_up
        self._errands = errands or NoErrands()
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="aipower-sampler", daemon=True)
        self._newcomers: deque[SensorSet] = deque()
        self._questions: deque[Callable[[], None]] = deque()
        self._schedule = Schedule(pace.interval_s, clock)
        self._tick = Tick(meter, ledger, pace, clock, self._errands, keeper, outside, recorder)
        self._mishaps = Mishaps()
        self._draft: Draft | None = None
        self._started_s = clock.monotonic_s()
        self._ticked_s: float | None = None

    def start(self) -> None:
        """Begin."""
        self._started_s = self._clock.monotonic_s()
        self._thread.start()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End after the tick under way; a sensor that hangs is left behind with its daemon thread."""
        self._stop.set()
        self._wake.set()
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

    def ask(self, question: Callable[[], _T]) -> Future[_T]:
        """Have `question` called on the sampling thread, at once unless a tick is under way."""
        answer: Future[_T] = Future()

        def reply() -> None:
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(question())
                except Exception as error:  # noqa: BLE001 - it goes to whoever asked
                    answer.set_exception(error)

        self._questions.append(reply)
        self._wake.set()
        return answer

    def snapshot(self) -> Snapshot | None:
        """The newest snapshot, the same object until the next one; None before the first.

        It is made by the thread that asks first, and the sampler does not wait for that.
        """
        draft = self._draft
        return None if draft is None else draft.snapshot()

    def age_s(self) -> float | None:
        """Seconds since the last tick ended; None before the first."""
        return None if self._ticked_s is None else self._clock.monotonic_s() - self._ticked_s

    def stale(self) -> bool:
        """True when ticks have stopped coming, or never came."""
        since_s = self._started_s if self._ticked_s is None else self._ticked_s
        return self._clock.monotonic_s() - since_s > max(STALE_S, STALE_TICKS * self._tick.pace.interval_s)

    def set_pace(self, pace: Pace) -> None:
        """Go on at another pace from the next tick on."""

        def change() -> None:
            self._tick.pace = pace
            self._schedule.set_interval(pace.interval_s)

        self.ask(change)

    def _run(self) -> None:
        self._guarded(self._prepare)
        self._schedule.restart()
        while not self._stop.is_set():
            self._schedule.begin()
            if self._guarded(self._step):
                self._mishaps.went_well()
            self._schedule.end()
            if self._mishaps.hopeless:
                log.critical("no tick has gone well for a while; giving up")
                self._give_up()
                return
            self._serve_until_due()
        self._guarded(self._meter.close)

    def _serve_until_due(self) -> None:
        """Answer questions and run errands until the next tick is due; once at least, however late it is."""
        while not self._stop.is_set():
            self._wake.clear()
            for _ in range(min(MOST_QUESTIONS, len(self._questions))):
                self._questions.popleft()()
            self._guarded(self._errands.work)
            pause_s = self._schedule.pause_s()
            if pause_s <= 0:
                return
            if not self._questions:
                self._wake.wait(min(pause_s, self._errand_pause_s()))

    def _errand_pause_s(self) -> float:
        """Seconds until there are errands to run; a bug there must not end the ticks."""
        try:
            return self._errands.pause_s()
        except Exception as error:  # noqa: BLE001 - it may be anything, and it is logged
            self._mishaps.add(error)
            return DENSE_S

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

    def _step(self) -> None:
        self._adopt()
        draft = self._tick.run(self._schedule, late=self.stale)
        if draft is not None:
            self._draft = draft
        self._ticked_s = self._clock.monotonic_s()

    def _adopt(self) -> None:
        """A newcomer leaves the queue only after the meter has it: until then nobody need look for it again."""
        while self._newcomers:
            try:
                self._meter.adopt(self._errands.tapped(self._newcomers[0]))
            finally:
                self._newcomers.popleft()
