"""Threads for answers that read files: few, bounded in number and in time, and none that holds up the agent's end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

MAX_AT_WORK = 2
"""More would only wait for the same disk, and take time from the sampler."""
MAX_WAITING = 16
PATIENCE_S = 10.0
"""For a turn: a disk that hangs must not keep the connections of all who ask."""


class BusyError(Exception):
    """Others are at work or wait; ask again later."""


class Lane:
    """Calls functions on threads of their own. Its methods belong to one event loop."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._turns = asyncio.Semaphore(MAX_AT_WORK)
        self._waiting = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """What `work` returns, or raises.

        Raises:
            BusyError: There is no turn, or none in time.
        """
        if self._turns.locked():
            await self._wait_for_turn()
        else:
            await self._turns.acquire()
        return await asyncio.shield(self._started(work))

    async def _wait_for_turn(self) -> None:
        if self._waiting >= MAX_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            await asyncio.wait_for(self._turns.acquire(), self._patience_s)
        except TimeoutError as error:
            raise BusyError from error
        finally:
            self._waiting -= 1

    def _started(self, work: Callable[[], _T]) -> asyncio.Future[_T]:
        """The answer to come of `work`, which has a turn until it is there, whether or not anybody still waits."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()

        def done(result: _T | None, error: Exception | None) -> None:
            self._turns.release()
            if error is not None:
                answer.set_exception(error)
                answer.exception()  # whoever asked may have left; then nobody need hear of it
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # it is what `work` has returned

        def call() -> None:
            result, error = None, None
            try:
                result = work()
            except Exception as caught:  # noqa: BLE001 - it goes to whoever asked
                error = caught
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for the answer
                loop.call_soon_threadsafe(done, result, error)

        # A daemon thread: the interpreter joins those of an executor at its end, and this one may hang.
        threading.Thread(target=call, name="aipower-slow-answer", daemon=True).start()
        return answer
