"""Imports that Ctrl-C does not break in the middle."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def imports() -> Iterator[None]:
    """SIGINT waits until the end of this context, and then does what it does elsewhere.

    The types of msgspec are half made when an interrupt breaks their making, and the next use of one is a segmentation
    fault (seen with msgspec 0.22). Blocking the signal would not do where other threads run: one of them takes it, and
    the main thread raises KeyboardInterrupt all the same. Other threads than that one are never interrupted.
    """
    heard: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        heard.append(number)

    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, note if callable(before) else before)
    except (ValueError, TypeError):  # not the main thread, or a handler of a host program's that is not Python
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        for number in heard[:1]:
            signal.raise_signal(number)
