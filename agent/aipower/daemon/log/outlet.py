"""Writes bytes to a descriptor on a thread of its own: a reader who stops reading holds up that thread only."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

MAX_WAITING = 512
"""Lines that wait for a reader; at a few kilobytes at most each it is about a megabyte."""

Idle = Callable[[], tuple[list[bytes], float | None]]
"""What is to be written besides, and the seconds until it wants to be asked again (None: not before the next line)."""


class _End:
    """Ends the thread."""


class Outlet:
    """Lines go in by `put` and are written in their order. What finds no room is counted and told of later."""

    def __init__(self, descriptor: int, idle: Idle, lost_line: Callable[[int], bytes]) -> None:
        self.lost = 0
        self._descriptor = descriptor
        self._idle = idle
        self._lost_line = lost_line
        self._told = 0
        self._counting = threading.Lock()
        self._lines: SimpleQueue[bytes | threading.Event | _End | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="aipower-log", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Have `line` written. Returns at once."""
        if self._lines.qsize() >= MAX_WAITING:
            self._lose()
        else:
            self._lines.put(line)

    def wake(self) -> None:
        """Ask `idle` when it wants to be asked again."""
        self._lines.put(None)

    def flush(self, timeout_s: float) -> bool:
        """True once all is written that was put before; False after `timeout_s`."""
        written = threading.Event()
        if not self._thread.is_alive():
            return False
        self._lines.put(written)
        return written.wait(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Write what is left within `timeout_s`, and no more. Safe to call twice."""
        if self._thread.is_alive():
            self._lines.put(_End())
            self._thread.join(timeout_s)

    def _run(self) -> None:
        pause_s: float | None = None
        while True:
            item: bytes | threading.Event | _End | None = None
            with contextlib.suppress(Empty):
                item = self._lines.get(timeout=pause_s)
            if isinstance(item, bytes):
                self._tell_of_losses()
                self._write(item)
            elif isinstance(item, threading.Event):
                item.set()
            elif isinstance(item, _End):
                return
            extra, pause_s = self._idle()
            for line in extra:
                self._write(line)

    def _tell_of_losses(self) -> None:
        count = self.lost - self._told
        if count and self._writes(self._lost_line(count)):
            self._told += count

    def _write(self, line: bytes) -> None:
        if not self._writes(line):
            self._lose()

    def _writes(self, line: bytes) -> bool:
        """True once `line` is written; False where nobody can read it any more."""
        rest = memoryview(line)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # whoever started us has made it so
                self._wait_for_room()
            except OSError:
                return False
        return True

    def _wait_for_room(self) -> None:
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLOUT)
        waiting.poll()

    def _lose(self) -> None:
        with self._counting:
            self.lost += 1
