"""What is kept of one device: its newest windows one by one, what is older in buckets."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from aipower.books.uncertainty import scale_of
from aipower.history.parts import Sums, sums_of
from aipower.history.register import Register
from aipower.history.rows import Columns, Rows
from aipower.model import Attribution, Calibration, Device

log = logging.getLogger(__name__)

RECENT_PARTS, BUCKET_PARTS = 12, 8
MOST_WINDOWS = 600
MOST_PARTS = 4096
"""Processes that a bucket tells apart while it is open."""
MOST_WAITING = 1000
"""Parts of windows that wait to be taken into rows."""

RangeOfTicks = Callable[[str, float, float], tuple[float, float]]


class Lengths(Struct, frozen=True):
    """How much is kept, in seconds."""

    span_s: float
    recent_s: float
    bucket_s: float


class Newest(Struct, frozen=True):
    """The newest window as it was posted."""

    attribution: Attribution
    calibration: Calibration
    start_s: float
    """As `end_s` on the history's own axis."""
    end_s: float


class DeviceBook:
    """The windows of one device; their times never run backwards. Not thread-safe."""

    def __init__(self, device: Device, lengths: Lengths, register: Register, ticks_w: RangeOfTicks) -> None:
        self.device = device
        self.scale = scale_of(device, Calibration())
        self.newest: Newest | None = None
        self.seen_s = -math.inf
        """When it was last known to be there."""
        self._lengths = lengths
        self._register = register
        self._ticks_w = ticks_w
        self._windows = Rows(register, RECENT_PARTS)
        self._buckets = Rows(register, BUCKET_PARTS)
        self._waiting: deque[Newest] = deque()
        """Windows that are in no row yet: several at a time, or when somebody looks, they cost much less."""
        self._waiting_parts = 0
        self._due_s = -math.inf
        """A window that ends then or later closes the open bucket, or opens one."""
        self._open: Sums | None = None
        self._closed_s = -math.inf
        """Until when all is in buckets that are closed."""
        self._dropped = False
        """Whether some window is told by buckets only."""

    @property
    def start_s(self) -> float | None:
        """Where what is kept begins."""
        waiting_s = self._waiting[0].start_s if self._waiting else None
        starts_s = (self._buckets.start_s, self._windows.start_s, waiting_s)
        return min([start_s for start_s in starts_s if start_s is not None], default=None)

    def post(self, attribution: Attribution, calibration: Calibration, offset_s: float) -> None:
        """Take in a window, `offset_s` later on the history's axis than it says. What comes too late is left out."""
        delta = attribution.delta
        start_s, end_s = delta.start_s + offset_s, delta.end_s + offset_s
        if self.newest is not None:
            start_s = max(start_s, self.newest.end_s)
        if not end_s > start_s:
            return
        if calibration is not self.scale.calibration or delta.device is not self.device or self.newest is None:
            self.device, self.scale = delta.device, scale_of(delta.device, calibration)
        self.newest = Newest(attribution, calibration, start_s, end_s)
        self.seen_s = max(self.seen_s, end_s)
        self._waiting.append(self.newest)
        self._waiting_parts += 1 + len(attribution.context_uj) + len(attribution.active_uj)
        if end_s >= self._due_s or self._waiting_parts > MOST_WAITING:
            self._take_in()

    def _take_in(self) -> None:
        """Have all that was posted in rows and buckets."""
        while self._waiting:
            try:
                self._keep(self._waiting.popleft())
            except Exception:
                log.exception("a window is missing from the history")
        self._waiting_parts = 0

    def _keep(self, window: Newest) -> None:
        sums = sums_of(window.attribution, window.start_s, window.end_s - window.start_s)
        self._windows.append(sums, window.end_s)
        self._spread(sums, window.end_s)
        self.expire(window.end_s)
        self._due_s = -math.inf if self._open is None else self._open.start_s + self._lengths.bucket_s

    def expire(self, now_s: float) -> None:
        """Forget what is too old at `now_s`."""
        lengths = self._lengths
        before = len(self._windows)
        self._windows.trim(now_s - lengths.recent_s, MOST_WINDOWS, only_before_s=self._closed_s)
        self._dropped = self._dropped or len(self._windows) < before
        self._buckets.trim(now_s - lengths.span_s)

    def forget(self) -> None:
        """Drop all, so that the register keeps nobody for it."""
        self._waiting.clear()
        self._windows.forget()
        self._buckets.forget()

    def forget_parts(self, before_s: float) -> None:
        """Tell no process by name any more of before `before_s`."""
        self._buckets.forget_parts(before_s)

    def between(self, start_s: float, end_s: float, step_s: float) -> Columns:
        """A copy of the finest rows that steps of this length need: buckets up to a cut, windows after it."""
        self._take_in()
        cut_s = self._cut_s(step_s)
        if start_s >= cut_s:
            return self._windows.between(start_s, end_s)
        rows = self._buckets.between(start_s, min(end_s, cut_s))
        if end_s > cut_s:
            rows.extend(_from(cut_s, self._windows.between(cut_s, end_s)))
        return rows

    def _cut_s(self, step_s: float) -> float:
        """A bound of buckets, before which they tell all, and after which the windows do."""
        bucket_s = self._lengths.bucket_s
        first_s = self._windows.start_s
        if not self._dropped or first_s is None:
            return -math.inf if not self._dropped else self._closed_s
        if step_s >= bucket_s:
            return self._closed_s
        return min(self._closed_s, math.ceil(first_s / bucket_s) * bucket_s)

    def _spread(self, sums: Sums, end_s: float) -> None:
        """Give each bucket its share of a window, as far back as buckets go."""
        bucket_s, span_s = self._lengths.bucket_s, end_s - sums.start_s
        at_s = max(sums.start_s, end_s - self._lengths.span_s)
        number = math.floor(at_s / bucket_s)
        while at_s < end_s:
            until_s = min(end_s, (number + 1) * bucket_s)
            self._opened(number * bucket_s).add(sums, (until_s - at_s) / span_s, MOST_PARTS)
            if until_s == (number + 1) * bucket_s:
                self._close()
            at_s, number = until_s, number + 1

    def _opened(self, start_s: float) -> Sums:
        """The bucket that begins there. It is the last one, or a new one behind it."""
        if self._open is not None and self._open.start_s < start_s:
            self._close()
        if self._open is None:
            self._open = Sums(start_s)
        return self._open

    def _close(self) -> None:
        sums, self._open = self._open, None
        if sums is not None:
            end_s = sums.start_s + self._lengths.bucket_s
            self._buckets.append(sums, end_s, *self._ticks_w(self.device.id, sums.start_s, end_s))
            self._closed_s = end_s
            for process in sums.parts:
                self._register.look_again(process)


def _from(cut_s: float, rows: Columns) -> Columns:
    """`rows` without what is before `cut_s`: at most the first one begins earlier."""
    if rows.start_s and rows.start_s[0] < cut_s:
        share = (rows.end_s[0] - cut_s) / (rows.end_s[0] - rows.start_s[0])
        rows.start_s[0] = cut_s
        rows.keep_of_first(share)
    return rows
