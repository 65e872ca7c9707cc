"""The calls of one device: whoever asks waits for a bounded time, and not at all while one hangs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from aipower.errors import SensorFailedError
from aipower.sensors.calls import HUNG, HungError
from aipower.sensors.crew import Call, Crew

T = TypeVar("T")

PATIENCE_S = 0.5
"""A call takes up to 0.1 s on a busy driver (science of A); five times that is no longer slow."""
WARY_S = 0.05
"""What one that has hung gets, so that many which hang now and then cannot use up an interval."""
WELL_AGAIN = 5
"""So many answers in a row, and it is trusted again."""


class Caller:
    """Has the calls of one device made, one at a time. Only one thread may ask."""

    def __init__(self, subject: str, crew: Crew, patience_s: float = PATIENCE_S) -> None:
        self.subject = subject
        self._crew = crew
        self._patience_s = patience_s
        self._open: Call | None = None
        """The call that is expected, made or under way, and was not answered for yet."""
        self._in_a_row = WELL_AGAIN
        self._closed = False
        crew.join()

    def expect(self, call: Call) -> None:
        """It is asked next, together with others that are told so. Does nothing while the device hangs."""
        if not self._closed and self._settled():
            self._begin(call)
            self._crew.expect(call)

    def ask(self, call: Call) -> object:
        """What `call` returns or raises. If that comes too late, it is handed to its `late` before the next call.

        Raises:
            HungError: The answer has not come in time, or that of an earlier call has not come yet.
        """
        if self._closed:
            raise SensorFailedError("closed")
        if self._open is call and not call.given_up:
            if self._crew.expects(call):
                self._crew.make()
        else:
            self._settle()
            self._begin(call)
            self._crew.make((call,))
        if call.given_up:
            raise HungError
        return self._answer(call)

    def close(self, last: Callable[[], None]) -> None:
        """Make `last` the last call; after a call that hangs it comes when that returns. Safe to call twice."""
        if self._closed:
            return
        try:
            if not self._left_to_its_worker(last):
                with contextlib.suppress(HungError):
                    self.ask(Call(self.subject, last, _drop))
        finally:
            self._closed = True
            self._crew.leave()

    def _begin(self, call: Call) -> None:
        self._open = call
        call.prepare(self._patience_s if self._in_a_row >= WELL_AGAIN else min(WARY_S, self._patience_s))

    def _answer(self, call: Call) -> object:
        self._open = None
        self._in_a_row += 1
        value, error = call.value, call.error
        call.value = call.error = None
        try:
            if error is not None:
                raise error
            return value
        finally:
            del error  # it would hold this frame, and the frame the error

    def _settle(self) -> None:
        """Take the answer that nobody has waited for.

        Raises:
            HungError: It has not come yet.
        """
        if not self._settled():
            assert self._open is not None  # noqa: S101 - what hangs is open
            waited_s = self._crew.clock.monotonic_s() - self._open.began_s
            raise HungError(f"{HUNG}, for {waited_s:.1f} s now")

    def _settled(self) -> bool:
        """Take the late answer; False if it has not come. One that was slow and no more is as good as one in time."""
        call = self._open
        if call is None or self._crew.drop(call):
            self._open = None
            return True
        if call.ended_s is None:
            return False
        hung = call.ended_s - call.began_s > self._patience_s
        self._in_a_row = 0 if hung else self._in_a_row + 1
        self._open = None
        value, call.value = call.value, None
        if call.error is None:
            call.late(value)
        call.error = None
        return True

    def _left_to_its_worker(self, last: Callable[[], None]) -> bool:
        """True if a call hangs, whose worker will do `last` once it returns."""
        with self._crew.mutex:
            call = self._open
            if call is None or not call.given_up or call.ended_s is not None:
                return False
            call.last = last
            return True


class Asked(Generic[T]):
    """A function of a device, called by its crew."""

    def __init__(self, caller: Caller, step: Callable[[], T], late: Callable[[T], None] | None = None) -> None:
        self._caller = caller
        self._call = Call(caller.subject, step, late or _drop)

    def expect(self) -> None:
        """It is called next."""
        self._caller.expect(self._call)

    def __call__(self) -> T:
        """What it returns or raises.

        Raises:
            HungError: The answer has not come in time, or one before it has not come yet.
        """
        answer: Any = self._caller.ask(self._call)
        typed: T = answer
        return typed


def _drop(_answer: object) -> None:
    """A reading that comes late is old."""
