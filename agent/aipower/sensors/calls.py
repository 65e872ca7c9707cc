"""Calls that may hang, made on threads of their own: whoever asks waits for a bounded time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from msgspec import Struct

from aipower.errors import SensorFailedError
from aipower.seams import Clock

T = TypeVar("T")

PATIENCE_S = 0.5
"""A call takes up to 0.1 s on a busy driver (science of A); five times that is no longer slow."""
WARY_S = 0.05
"""What one that has hung gets, so that many which hang now and then cannot use up an interval."""
WELL_AGAIN = 5
"""So many answers in a row, and it is trusted again."""
HUNG = "a call into its driver hangs"


class HungError(SensorFailedError):
    """The answer is late, or one before it still is; the next call may work."""

    def __init__(self, message: str = HUNG) -> None:
        super().__init__("hung", message)


class CallThread(threading.Thread):
    """A daemon thread that makes calls for `subject`, and shows while one is under way."""

    def __init__(self, subject: str, run: Callable[[CallThread], None]) -> None:
        super().__init__(name=f"aipower-{subject}", daemon=True)
        self.subject = subject
        self.calling = False
        self._run = run

    def run(self) -> None:
        """Called by `start`."""
        self._run(self)


def hanging() -> tuple[str, ...]:
    """Whose calls are under way now, sorted: once nobody asks any more, these hang."""
    threads = [thread for thread in threading.enumerate() if isinstance(thread, CallThread)]
    return tuple(sorted({thread.subject for thread in threads if thread.calling}))


class _Answer(Struct, frozen=True):
    """What a call returned, or raised, and when."""

    value: Any
    error: BaseException | None
    at_s: float


class Caller:
    """Makes the calls of one device, one at a time. Only one thread may ask; the first call starts the other one.

    A call handed over costs 20 us of CPU time and six context switches, 70 us where both threads have slept before it.
    """

    def __init__(self, subject: str, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._subject = subject
        self._clock = clock
        self._patience_s = patience_s
        self._steps: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._answers: SimpleQueue[_Answer] = SimpleQueue()
        self._late: Callable[[Any], None] | None = None
        """Takes the answer that is awaited no more; None while there is none."""
        self._asked_s = 0.0
        self._in_a_row = WELL_AGAIN
        self._started = self._closed = False

    def call(self, step: Callable[[], T], late: Callable[[T], None] | None = None) -> T:
        """What `step` returns or raises. If that comes too late, the next call hands it to `late` first.

        Raises:
            HungError: The answer has not come in time, or that of an earlier call has not come yet.
        """
        if self._closed:
            raise SensorFailedError("closed")
        self._settle()
        self._start()
        self._asked_s = self._clock.monotonic_s()
        self._steps.put(step)
        try:
            answer = self._answers.get(timeout=self._patience_s if self._trusted() else min(WARY_S, self._patience_s))
        except Empty:
            self._late = late or _drop
            raise HungError from None
        self._in_a_row += 1
        try:
            if answer.error is not None:
                raise answer.error
            value: T = answer.value
            return value
        finally:
            del answer  # its error would hold this frame, and the frame the error

    def close(self, last: Callable[[], None]) -> None:
        """Make `last` the last call and end the thread; after a call that hangs it comes when that returns.

        Safe to call twice.
        """
        if self._closed:
            return
        try:
            if self._late is not None and self._answers.empty():
                self._steps.put(last)
            else:
                with contextlib.suppress(HungError):
                    self.call(last)
        finally:
            self._closed = True
            self._steps.put(None)

    def _settle(self) -> None:
        """Take the late answer if it has come. One that was slow and no more than that is as good as one in time."""
        if self._late is None:
            return
        try:
            answer = self._answers.get_nowait()
        except Empty:
            waited_s = self._clock.monotonic_s() - self._asked_s
            raise HungError(f"{HUNG}, for {waited_s:.1f} s now") from None
        late, self._late = self._late, None
        hung = answer.at_s - self._asked_s > self._patience_s
        self._in_a_row = 0 if hung else self._in_a_row + 1
        if answer.error is None:
            late(answer.value)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            CallThread(self._subject, self._work).start()

    def _trusted(self) -> bool:
        return self._in_a_row >= WELL_AGAIN

    def _work(self, thread: CallThread) -> None:
        while (step := self._steps.get()) is not None:
            thread.calling = True
            answer = self._answer(step)
            thread.calling = False
            self._answers.put(answer)
            del step, answer

    def _answer(self, step: Callable[[], object]) -> _Answer:
        try:
            return _Answer(step(), None, self._clock.monotonic_s())
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was asked for
            return _Answer(None, error, self._clock.monotonic_s())


def _drop(_answer: object) -> None:
    """A reading that comes late is old."""
