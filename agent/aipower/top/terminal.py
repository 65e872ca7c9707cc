"""The terminal: keys at once, the other screen, signals; given back as it was, whatever happens."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

from msgspec import Struct

from aipower.top.keys import KeyDecoder
from aipower.top.painter import ENTER, LEAVE

ESCAPE_S = 0.05
"""After this long without more an escape is the key, not the start of another."""
FATAL = (signal.SIGTERM, signal.SIGHUP)
HEARD = (*FATAL, signal.SIGINT, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)
READ_BYTES = 4096


class Happened(Struct, frozen=True):
    """What has come."""

    keys: Sequence[str] = ()
    resized: bool = False
    """The size has changed, or the screen was someone else's for a while."""
    signalled: int = 0
    """The signal that is to end us, 0 for none."""
    hung_up: bool = False
    """The terminal is gone."""


class Terminal:
    """Standard input and output on a terminal. Use `on` around all else; one at a time, on the main thread."""

    def __init__(self, stdin: int, stdout: int) -> None:
        self._in, self._out = stdin, stdout
        self._decoder = KeyDecoder()
        self._before: Any = None
        self._wake_read, self._wake_write = -1, -1
        self._signals: list[int] = []

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """Take the terminal, and give it back."""
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        handlers = {number: signal.getsignal(number) for number in HEARD}
        try:
            for number in HEARD:
                signal.signal(number, self._hear)
            self._take()
            yield
        finally:
            self._give_back()
            for number, handler in handlers.items():
                signal.signal(number, handler)
            os.close(self._wake_read)
            write, self._wake_write = self._wake_write, -1
            os.close(write)

    def wake(self) -> None:
        """End a `wait` under way; from any thread."""
        if self._wake_write >= 0:
            with contextlib.suppress(OSError):  # full: it is awake; closed: nobody waits
                os.write(self._wake_write, b"\0")

    def size(self) -> tuple[int, int]:
        """Columns and lines, at least 1; 80 and 24 where the terminal does not say."""
        try:
            columns, lines = os.get_terminal_size(self._out)
        except OSError:
            columns, lines = 0, 0
        return columns or 80, lines or 24

    def write(self, data: bytes) -> None:
        """Show `data`. A terminal that takes nothing is waited for.

        Raises:
            OSError: It is gone.
        """
        while data:
            data = data[os.write(self._out, data) :]

    def wait(self, timeout_s: float) -> Happened:
        """What happens within the timeout, at once when it does; nothing after it, or when `wake` was called."""
        pause_s = min(timeout_s, ESCAPE_S) if self._decoder.waiting else timeout_s
        ready = [] if self._signals else select.select([self._in, self._wake_read], [], [], max(0.0, pause_s))[0]
        if self._wake_read in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, READ_BYTES)
        keys: list[str] = []
        hung_up = False
        if self._in in ready:
            data = self._read()
            hung_up = not data
            keys.extend(self._decoder.feed(data))
        elif self._decoder.waiting:
            keys.extend(self._decoder.flush())
        return self._with_signals(keys, hung_up=hung_up)

    def _read(self) -> bytes:
        try:
            return os.read(self._in, READ_BYTES)
        except OSError:
            return b""

    def _with_signals(self, keys: list[str], *, hung_up: bool) -> Happened:
        heard, self._signals = self._signals, []
        if signal.SIGINT in heard:
            keys.append("ctrl-c")
        if signal.SIGTSTP in heard:
            self._suspend()
        elif signal.SIGCONT in heard:
            self._set()  # after a SIGSTOP, which nobody hears, the shell had the terminal
        resized = bool({signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT} & set(heard))
        fatal = next((number for number in heard if number in FATAL), 0)
        return Happened(keys, resized, fatal, hung_up)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)
        self.wake()

    def _suspend(self) -> None:
        """Stop as a shell expects it: the terminal is given back first, and taken again when we go on."""
        self._give_back()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # returns after SIGCONT
        signal.signal(signal.SIGTSTP, handler)
        self._take()

    def _take(self) -> None:
        self._before = termios.tcgetattr(self._in)
        self._set()

    def _set(self) -> None:
        tty.setcbreak(self._in)  # keys at once and without echo; Ctrl-C and Ctrl-Z stay signals
        self.write(ENTER.encode())

    def _give_back(self) -> None:
        before, self._before = self._before, None
        if before is None:
            return
        with contextlib.suppress(OSError):
            self.write(LEAVE.encode())
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._in, termios.TCSANOW, before)  # a stopped terminal never drains


def unfit(stdin: int, stdout: int, environ: Mapping[str, str]) -> str:
    """Why there can be no screen here, in a few words; empty where there can."""
    if not os.isatty(stdout):
        return "standard output is no terminal"
    if not os.isatty(stdin):
        return "standard input is no terminal"
    if environ.get("TERM", "dumb") in {"", "dumb"}:
        return "this terminal cannot move its cursor (TERM)"
    return ""
