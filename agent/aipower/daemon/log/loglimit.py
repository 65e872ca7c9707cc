"""Keeps a log readable: what repeats itself is told some times a minute, and then only counted."""

from __future__ import annotations

import logging

from msgspec import Struct

BURST = 10
"""Events of one kind that a minute shows."""
WINDOW_S = 60.0
MAX_KINDS = 256
"""Kinds that are counted apart; a message that is new each time must not cost memory."""

Kind = tuple[str, str]
"""The logger and the message without its values."""
REST: Kind = ("", "")


class _Window(Struct):
    """A minute of one kind."""

    until_s: float
    last: logging.LogRecord
    count: int = 0


class LogLimit:
    """Decides which records are written. Times are monotonic; one thread at a time may call it."""

    def __init__(self) -> None:
        self._windows: dict[Kind, _Window] = {}

    def admits(self, record: logging.LogRecord, now_s: float) -> bool:
        """True if `record` is to be written; call `take_summaries` first."""
        window = self._window(record, now_s)
        window.count += 1
        window.last = record
        return window.count <= BURST

    def due_s(self) -> float | None:
        """When the next summary is to be written; None where nothing was left out."""
        return min((window.until_s for window in self._windows.values() if window.count > BURST), default=None)

    def take_summaries(self, now_s: float) -> list[logging.LogRecord]:
        """What to write of the minutes that are over and had too much in them."""
        over = [kind for kind, window in self._windows.items() if now_s >= window.until_s]
        windows = [self._windows.pop(kind) for kind in over]
        return [_summary(window) for window in windows if window.count > BURST]

    def _window(self, record: logging.LogRecord, now_s: float) -> _Window:
        kind = (record.name, str(record.msg))
        if kind not in self._windows and len(self._windows) >= MAX_KINDS:
            kind = REST
        return self._windows.setdefault(kind, _Window(now_s + WINDOW_S, record))


def _summary(window: _Window) -> logging.LogRecord:
    last = window.last
    text = "%d more like this in the last minute: %s"
    values = (window.count - BURST, last.msg)
    return logging.LogRecord(last.name, last.levelno, last.pathname, last.lineno, text, values, None)
