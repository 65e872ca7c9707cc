"""Imports that Ctrl-C does not break in the middle."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def imports() -> Iterator[None]:
    """SIGINT waits until the end of this context, where it raises KeyboardInterrupt as ever.

    The types of msgspec are half made when an interrupt breaks their making, and the next use of one is a segmentation
    fault (seen with msgspec 0.22). For the main thread, before it starts others.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
