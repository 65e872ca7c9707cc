"""What signals ask of the agent. They are heard on a thread of their own, so that a hung main thread can be ended."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from types import FrameType

STOP_LIMIT_S = 4.0
"""A stop that takes longer is cut short: Kubernetes, Slurm and people have more patience, but not for ever."""
ECHO_S = 0.2
"""The same wish within this time is one: timeout(1) signals its child, then the group."""
STOPPING = (signal.SIGTERM, signal.SIGINT)
HARMLESS = (signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2)
TERMINALS = (0, 1, 2)


class Ask(Enum):
    """What a signal asks for."""

    STOP = "stop"
    RELOAD = "reload"


@contextmanager
def hearing(tell: Callable[[Ask], None], leave: Callable[[], None]) -> Iterator[None]:
    """Tell of SIGTERM and SIGINT (stop), and of SIGHUP (reload). To be entered in the main thread.

    `leave`, which ends the process at once, is called at the second wish to stop, and `STOP_LIMIT_S` after the first.
    Once a stop has been asked for this goes on to the end of the process; else all is as before afterwards.
    """
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    ear = _Ear(ours, tell, leave)
    # Whatever the main thread is doing, the C part of Python's handler writes the number here at once.
    wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, _heard) for number in (*STOPPING, signal.SIGHUP)}
    before |= {number: signal.signal(number, signal.SIG_IGN) for number in HARMLESS}
    threading.Thread(target=ear.listen, name="aipower-signals", daemon=True).start()
    try:
        yield
    finally:
        if not ear.stopping:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            theirs.close()


class _Ear:
    """Reads the numbers of signals."""

    def __init__(self, numbers: socket.socket, tell: Callable[[Ask], None], leave: Callable[[], None]) -> None:
        self.stopping = False
        self._numbers = numbers
        self._tell = tell
        self._leave = leave
        self._deadline_s = self._asked_s = 0.0
        self._terminals = [descriptor for descriptor in TERMINALS if os.isatty(descriptor)]

    def listen(self) -> None:
        """Until the other end is closed."""
        with self._numbers:
            while True:
                try:
                    heard = self._numbers.recv(64)
                except TimeoutError:
                    self._leave()
                    return
                if not heard:
                    return
                for number in heard:
                    self._hear(number)

    def _hear(self, number: int) -> None:
        stop = number in STOPPING or (number == signal.SIGHUP and self._hung_up())
        if stop and self.stopping:
            if time.monotonic() - self._asked_s > ECHO_S:
                self._leave()
        elif stop:
            self.stopping = True
            self._asked_s = time.monotonic()
            self._deadline_s = self._asked_s + STOP_LIMIT_S
            self._tell(Ask.STOP)
        elif number == signal.SIGHUP:
            self._tell(Ask.RELOAD)
        if self.stopping:
            self._numbers.settimeout(max(0.01, self._deadline_s - time.monotonic()))

    def _hung_up(self) -> bool:
        """True where the terminal from which a person started the agent is gone: SIGHUP has told of that first."""
        return any(not os.isatty(descriptor) for descriptor in self._terminals)


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Nothing to do: without a handler the signal would end the process."""
