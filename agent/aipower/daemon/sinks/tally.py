"""Counts how one sink does. The sink's thread writes, any thread may read, and neither waits for a push."""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from types import MappingProxyType

from msgspec import Struct

from aipower.model import SinkState
from aipower.seams import Clock

log = logging.getLogger(__name__)

REASONS = ("refused", "timeout", "rejected", "denied", "full", "failed", "internal", "hung")
"""Counted from 0, as a rate over a counter that begins at 1 does not see the first fault."""
MOST_REASONS = 16
"""A sink of others may invent reasons, but not without end: each is a series."""
GOOD_REASON = re.compile(r"[a-z][a-z0-9_]{0,31}")
HUNG_S = 60.0
"""A push that has not come back for so long is a fault while it is still under way."""
MAX_TOLD_CHARS = 300


class _UnderWay(Struct, frozen=True):
    """A push that has not come back."""

    began_s: float
    hung: bool = False


class Tally:
    """The counts of the sink `name`, which is pushed to every `interval_s`."""

    def __init__(self, name: str, interval_s: float, clock: Clock, hung_s: float = HUNG_S) -> None:
        self._name = name
        self._interval_s = interval_s
        self._clock = clock
        self._hung_s = hung_s
        self._lock = threading.Lock()
        self._faults: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self._push: _UnderWay | None = None
        self._up = True
        self._failures = self._pushes = self._skipped = 0
        self._push_s = 0.0
        self._pushed_unix_s: float | None = None

    def begin(self) -> None:
        """A push begins."""
        with self._lock:
            self._push = _UnderWay(self._clock.monotonic_s())

    def arrived(self) -> None:
        """The push has arrived."""
        with self._lock:
            self._end_push()
            self._pushes += 1
            self._pushed_unix_s = self._clock.unix_s()
            back, failures = not self._up, self._failures
            self._up, self._failures = True, 0
        if back:
            log.warning("sink %s delivers again, after %d failed pushes", self._name, failures)

    def failed(self, reason: str, text: str) -> None:
        """The push has failed, or closing the sink has."""
        with self._lock:
            self._end_push()
            self._failures += 1
            self._count(reason, text)

    def state(self) -> SinkState:
        """The counts now, those of a push that is under way too."""
        with self._lock:
            skipped, push_s = self._skipped, self._push_s
            if self._push is not None:
                lasted_s = self._lasted_s(self._push)
                skipped, push_s = skipped + int(lasted_s / self._interval_s), push_s + lasted_s
                self._look_for_hang(self._push, lasted_s)
            faults = MappingProxyType(dict(self._faults))
            return SinkState(self._name, self._up, self._pushes, skipped, push_s, faults, self._pushed_unix_s)

    def _lasted_s(self, push: _UnderWay) -> float:
        return max(0.0, self._clock.monotonic_s() - push.began_s)

    def _look_for_hang(self, push: _UnderWay, lasted_s: float) -> None:
        if lasted_s > self._hung_s and not push.hung:
            self._push = _UnderWay(push.began_s, hung=True)
            self._count("hung", f"a push has not come back for {self._hung_s:g} s")

    def _end_push(self) -> None:
        if self._push is not None:
            lasted_s = self._lasted_s(self._push)
            self._skipped += int(lasted_s / self._interval_s)
            self._push_s += lasted_s
            self._push = None

    def _count(self, reason: str, text: str) -> None:
        """Count a failure; the first of a row is told, and the rest are not."""
        known = reason in self._faults or len(self._faults) < MOST_REASONS
        good = reason if known and GOOD_REASON.fullmatch(reason) else "failed"
        self._faults[good] += 1
        if self._up:
            log.warning("sink %s does not deliver: %s: %s", self._name, good, one_line(text))
        self._up = False


def one_line(text: str) -> str:
    """`text` as one line that a terminal can show, cut to `MAX_TOLD_CHARS`."""
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else "?" for char in line)[:MAX_TOLD_CHARS]
