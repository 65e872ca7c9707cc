"""Calls that may hang, made on threads of their own: what they are, and who is in one now."""

from __future__ import annotations

import threading
from collections.abc import Callable

from aipower.errors import SensorFailedError

HUNG = "a call into its driver hangs"


class HungError(SensorFailedError):
    """The answer is late, or one before it still is; the next call may work."""

    def __init__(self, message: str = HUNG) -> None:
        super().__init__("hung", message)


class CallThread(threading.Thread):
    """A daemon thread that makes calls for `subject`, which may change, and shows while one is under way."""

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
