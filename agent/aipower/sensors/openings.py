"""Opens devices side by side, each on a thread of its own, so that one that hangs does not hide the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from aipower.errors import SensorUnavailableError
from aipower.sensors.calls import HUNG, CallThread

T = TypeVar("T")

OPEN_PATIENCE_S = 2.0
"""A GPU that sleeps takes about 1.5 s to wake (science of A)."""
REMEDY = "it is looked for again; see `sudo dmesg | grep -i -e nvrm -e xid`"


class _Opening(Generic[T]):
    """A step under way on its own thread, and what came of it."""

    def __init__(self, name: str, step: Callable[[], T]) -> None:
        self.ended = threading.Event()
        self.outcome: T | Exception = _late()
        self._step = step
        CallThread(name, self._run).start()

    def _run(self, thread: CallThread) -> None:
        thread.calling = True
        try:
            self.outcome = self._step()
        except Exception as error:  # noqa: BLE001 - it is handed to whoever asked for the step
            self.outcome = error
        thread.calling = False
        self.ended.set()


class Openings(Generic[T]):
    """Remembers what hangs: no second thread is started for it, and what it opens late is found by the next look.

    Only one thread at a time may ask.
    """

    def __init__(self, patience_s: float = OPEN_PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._under_way: dict[str, _Opening[T]] = {}

    def run(self, steps: Mapping[str, Callable[[], T]]) -> dict[str, T | Exception]:
        """What each step has returned or raised; SensorUnavailableError with the reason `hung` where it is late.

        Returns when all that were begun now have ended, or after the patience.
        """
        new = {name: _Opening(name, step) for name, step in steps.items() if name not in self._under_way}
        self._under_way.update(new)
        until_s = time.monotonic() + self._patience_s
        for opening in new.values():
            opening.ended.wait(max(0.0, until_s - time.monotonic()))
        return {name: self._take(name) for name in steps}

    def _take(self, name: str) -> T | Exception:
        opening = self._under_way[name]
        if not opening.ended.is_set():
            return _late()
        return self._under_way.pop(name).outcome


def _late() -> SensorUnavailableError:
    return SensorUnavailableError("hung", HUNG, REMEDY)
