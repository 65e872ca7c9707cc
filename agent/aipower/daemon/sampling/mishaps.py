"""What to do with exceptions that nobody expected: tell of each kind once, count them, and know when to give up."""

from __future__ import annotations

import logging
from traceback import extract_tb

log = logging.getLogger(__name__)

MOST_IN_A_ROW = 10
"""So many ticks without one that went well are no accident; a fresh process may do better."""


class Mishaps:
    """The unexpected exceptions of one loop."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._told: set[tuple[str, str]] = set()

    def add(self, error: Exception) -> None:
        """Count `error`, and log it if none of its kind came from the same line before."""
        self._in_a_row += 1
        kind = (type(error).__name__, _line(error))
        if kind not in self._told:
            self._told.add(kind)
            log.error("unexpected; the next ones like it are only counted", exc_info=error)

    def went_well(self) -> None:
        """The row has ended."""
        self._in_a_row = 0

    @property
    def hopeless(self) -> bool:
        """True when nothing has worked for too long."""
        return self._in_a_row >= MOST_IN_A_ROW


def _line(error: Exception) -> str:
    """Where `error` was raised."""
    frames = extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
