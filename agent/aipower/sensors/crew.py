"""The threads that make the calls of many devices: one makes all in turn, as long as none of them hangs.

A thread for each device would do as well, but handing a call to another thread costs more than most calls: 20 to 70 us
of CPU time and up to six context switches. So the calls of all devices are handed over in one go. A thread that is in
a call for too long is left to that device; others make the calls that waited behind it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from msgspec import Struct

from aipower.seams import Clock
from aipower.sensors.calls import CallThread

log = logging.getLogger(__name__)

SUBJECT = "gpus"
"""What an idle thread is called."""
TURN_S = 0.005
"""Calls that take longer than this all together are made side by side: drivers that sleep take no CPU time."""
MOST_WORKERS = 4
LEAST_WAIT_S = 0.001


class Call(Struct, eq=False):
    """One kind of call of one device, and its answer; used again and again, by one thread and a worker."""

    subject: str
    step: Callable[[], Any]
    late: Callable[[Any], None]
    """Takes the answer that is awaited no more."""
    patience_s: float = 0.0
    began_s: float = 0.0
    ended_s: float | None = None
    """When the answer came; None while there is none."""
    value: Any = None
    error: BaseException | None = None
    given_up: bool = False
    """It took longer than its patience."""
    last: Callable[[], None] | None = None
    """What its worker is to do after it, where it hangs when its device is closed."""
    took_s: float = 0.0
    usual_s: float = 0.0
    """The shorter of its last two durations: a call is slow if it is so twice, not if a thread had to wait once."""

    def prepare(self, patience_s: float) -> None:
        """It is about to be handed over."""
        self.patience_s, self.began_s, self.ended_s = patience_s, 0.0, None
        self.value, self.error, self.given_up = None, None, False

    def make(self, clock: Clock) -> None:
        """Do it. That there is an answer is told last."""
        self.began_s = clock.monotonic_s()
        try:
            self.value = self.step()
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was asked for
            self.error = error
        ended_s = clock.monotonic_s()
        took_s = ended_s - self.began_s
        self.took_s, self.usual_s = took_s, min(took_s, self.took_s)
        self.ended_s = ended_s


class Worker:
    """One thread. It ends by itself once it was left behind, when its call returns."""

    def __init__(self, clock: Clock, mutex: threading.Lock) -> None:
        self._clock = clock
        self._mutex = mutex
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._done: SimpleQueue[None] = SimpleQueue()
        self._waiting: deque[Call] = deque()
        self._now: Call | None = None
        self._left_behind = False
        CallThread(SUBJECT, self._work).start()

    def begin(self, calls: Sequence[Call]) -> None:
        """Have `calls` made, in this order."""
        began_s = self._clock.monotonic_s()
        for call in calls:
            call.began_s = began_s
        self._now = calls[0]  # one that the thread does not come to begin is late too
        self._waiting.extend(calls)
        self._orders.put(True)

    def wait(self) -> Sequence[Call] | None:
        """None once all are made. Where one hangs, those that wait behind it: the worker is left behind with that."""
        now = self._now
        wait_s = LEAST_WAIT_S if now is None else now.patience_s
        while True:
            try:
                self._done.get(timeout=wait_s)
            except Empty:
                with self._mutex:
                    now = self._now
                    wait_s = LEAST_WAIT_S if now is None or now.ended_s is not None else self._rest_s(now)
                    if wait_s <= 0 and now is not None:
                        return self._leave_behind(now)
            else:
                return None

    def end(self) -> None:
        """The thread is needed no more."""
        self._orders.put(False)

    def _rest_s(self, call: Call) -> float:
        return call.began_s + call.patience_s - self._clock.monotonic_s()

    def _leave_behind(self, call: Call) -> Sequence[Call]:
        call.given_up = self._left_behind = True
        rest = [other for other in self._waiting if other is not call]
        begun = len(rest) == len(self._waiting)
        self._waiting = deque() if begun else deque([call])
        return rest

    def _work(self, thread: CallThread) -> None:
        while self._orders.get():
            while (call := self._next()) is not None:
                thread.subject, thread.calling = call.subject, True
                call.make(self._clock)
                self._close_after(call)
                thread.calling = False
                del call  # its answer is the device's own affair from now on
            if self._left_behind:
                return
            self._done.put(None)

    def _next(self) -> Call | None:
        with self._mutex:
            self._now = self._waiting.popleft() if self._waiting else None
            return self._now

    def _close_after(self, call: Call) -> None:
        """Close the device of `call`, where that was wanted while it hung."""
        with self._mutex:
            last, call.last = call.last, None
        if last is not None:
            try:
                last()
            except Exception:
                log.debug("%s: cannot be closed", call.subject, exc_info=True)


class Crew:
    """Makes the calls of its members. Only one thread may ask; the first call starts the first worker."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.mutex = threading.Lock()
        """Held while it is decided who hangs."""
        self._workers: list[Worker] = []
        self._expected: list[Call] = []
        self._members = 0

    def join(self) -> None:
        """One member more, who will call `leave` once."""
        self._members += 1

    def leave(self) -> None:
        """One member less; with the last one the threads end."""
        self._members -= 1
        if self._members == 0:
            for worker in self._workers:
                worker.end()
            self._workers = []

    def expect(self, call: Call) -> None:
        """Have `call` made together with all others of which this is said before the next `make`."""
        self._expected.append(call)

    def drop(self, call: Call) -> bool:
        """Do not expect `call` any more; False if it is under way or made."""
        found = any(each is call for each in self._expected)
        self._expected = [each for each in self._expected if each is not call]
        return found

    def expects(self, call: Call) -> bool:
        """True while it waits for the next `make`."""
        return any(each is call for each in self._expected)

    def make(self, calls: Sequence[Call] = ()) -> None:
        """Make `calls`, by default all that are expected; each has its answer then, or is given up.

        It takes no longer than all their patiences.
        """
        if not calls:
            calls, self._expected = self._expected, []
        while calls:
            calls = self._made(calls)

    def _made(self, calls: Sequence[Call]) -> list[Call]:
        """Those that were not begun because another hangs."""
        shares = self._shares(calls)
        while len(self._workers) < len(shares):
            self._workers.append(Worker(self.clock, self.mutex))
        busy = self._workers[: len(shares)]
        for worker, share in zip(busy, shares, strict=True):
            worker.begin(share)
        left: list[Call] = []
        for worker in busy:
            rest = worker.wait()
            if rest is not None:
                self._workers.remove(worker)
                left.extend(rest)
        return left

    def _shares(self, calls: Sequence[Call]) -> list[Sequence[Call]]:
        """One for each worker: as many as the calls' usual durations are worth."""
        usual_s = sum([call.usual_s for call in calls])
        count = min(len(calls), MOST_WORKERS, 1 + int(usual_s / TURN_S))
        return [calls[at::count] for at in range(count)]
