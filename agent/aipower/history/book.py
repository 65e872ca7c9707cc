"""What was measured before now, as far as memory goes."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.history import scale
from aipower.history.devicebook import DeviceBook, Lengths, Newest
from aipower.history.draw import draw
from aipower.history.newest import window_of
from aipower.history.register import Describe, Register
from aipower.history.steps import step_numbers
from aipower.history.strip import Layouts, Strip, cut
from aipower.history.tickbook import TickBook
from aipower.model import Attribution, Calibration, Device, ProcessInfo
from aipower.site.history import By, Chart, Ticks, Window

log = logging.getLogger(__name__)

MOST_ROWS = 6000
MOST_DEVICES = 256
MOST_KNOWN = 4096
"""Processes that are told by name at any time; beyond, the oldest windows tell of none."""
SHORTEST_BUCKET_S, MOST_BUCKETS = 10.0, 2160
PATIENCE_S, LONGEST_WINDOW_S = 2.0, 60.0
"""A device that has closed no window for this long and for two windows more holds nobody up."""
FIRST_WINDOW_S = 15.0
"""For so long a device that is up is waited for until it closes its first window."""
NAME_PARTS = 32
"""A part of the span of which processes' names are given up at a time."""


class Horizon(Struct, frozen=True):
    """What can be told now. Times are of the monotonic clock unless said otherwise."""

    offset_s: float
    """How much later it is on the history's axis."""
    oldest_s: float
    now_s: float
    complete_s: float
    ticks_s: float
    """From when on all ticks are there, on the history's axis."""


class HistoryBook:
    """Written by the sampler's thread, read by others.

    One lock, held for the copy of one device's rows at most, and for taking into them the windows that were posted
    since the last bucket was closed.

    Times inside are on an axis of its own, which goes on while the machine sleeps: what is stored never moves.
    """

    def __init__(self, span_s: float = 21600.0, describe: Describe | None = None, recent_s: float = 300.0) -> None:
        """Keep the last `span_s`: at full rate and window by window the last `recent_s`, what is older in buckets."""
        bucket_s = max(SHORTEST_BUCKET_S, span_s / MOST_BUCKETS)
        self._lengths = Lengths(max(span_s, recent_s), recent_s, bucket_s)
        self._lock = threading.Lock()
        self._register = Register(describe)
        self._ticks = TickBook(recent_s, MOST_ROWS, MOST_DEVICES)
        self._devices: dict[str, DeviceBook] = {}
        self._offset_s = 0.0
        """For how long the machine slept since the start."""
        self._now_s = -math.inf
        self._swept_s = -math.inf
        self._named_s = -math.inf
        """Before this no process is told by name."""
        self._windows: dict[str, tuple[Newest, float, Window]] = {}

    def describe_with(self, describe: Describe) -> None:
        """Ask `describe` about processes from now on."""
        with self._lock:
            self._register.describe = describe

    def tick(self, at_s: float, powers_w: Mapping[str, float | None]) -> None:
        """Take in the powers that were read at `at_s`, by device; who is None or missing is down.

        A row that is not newer than the last one is left out.
        """
        try:
            with self._lock:
                now_s = at_s + self._offset_s
                if self._ticks.add(now_s, powers_w):
                    self._reached(now_s)
        except Exception:
            log.exception("a tick is missing from the history")

    def post(self, attribution: Attribution, calibration: Calibration) -> None:
        """Take in one window of a device, and how far its scale may be off."""
        try:
            with self._lock:
                book = self._book(attribution.delta.device)
                if book is not None:
                    book.post(attribution, calibration, self._offset_s)
                    self._reached(attribution.delta.end_s + self._offset_s)
        except Exception:
            log.exception("a window is missing from the history")

    def shift(self, slept_s: float) -> None:
        """The machine slept, and the monotonic clock stood still: all that is stored was `slept_s` earlier."""
        if slept_s > 0 and math.isfinite(slept_s):
            with self._lock:
                self._offset_s += slept_s

    def power_half_w(self, device: str, power_w: float) -> float | None:
        """Half-width of the 95 % interval of a power of `device`; None where no window of it has come yet."""
        calibration = self._calibration(device)
        return None if calibration is None else scale.power_half_w(calibration, power_w)

    def energy_half_j(self, device: str, energy_j: float, span_s: float) -> float | None:
        """Half-width of the 95 % interval of an energy of the whole device over `span_s`."""
        calibration = self._calibration(device)
        return None if calibration is None else scale.energy_half_j(calibration, energy_j, span_s)

    def scope(self, device: str) -> str | None:
        """The id of a device that was calibrated by itself, else its kind; None where no window of it has come yet."""
        book = self._devices.get(device)
        return book.scale.scope if book is not None and book.newest is not None else None

    def ticks(self, after_s: float, devices: Collection[str]) -> Ticks:
        """The ticks after `after_s` at full rate, as far back as they are kept."""
        with self._lock:
            offset_s = self._offset_s
            found = self._ticks.between(after_s + offset_s, math.inf, devices)
        at_s = tuple(at_s - offset_s for at_s in found.at_s)
        return Ticks(at_s, {device: _values(column) for device, column in found.power_w.items()})

    def chart(self, devices: Collection[str], by: By, start_s: float, end_s: float, step_s: float) -> Chart:
        """The steps from `start_s` to `end_s` that are complete. Devices that are not known count as nothing.

        The lowest and the highest power are those of sums that ticks have seen, as far back as ticks go. For older
        steps each device's extremes are summed: a bound only, as devices need not be at their lowest together.

        Raises:
            ValueError: `step_s` is not above 0, or there would be more than `MOST_STEPS`.
        """
        wanted = list(dict.fromkeys(devices))
        with self._lock:
            horizon = self._horizon(wanted)
        numbers = _complete_steps(horizon, start_s, end_s, step_s)
        if horizon is None or not numbers:
            return Chart(step_s, complete_s=None if horizon is None else horizon.complete_s)
        starts_s = tuple(number * step_s for number in numbers)
        bounds_s = [at_s + horizon.offset_s for at_s in (*starts_s, numbers.stop * step_s)]
        layouts: Layouts = {}
        strips = [strip for name in wanted if (strip := self._strip(name, bounds_s, step_s, layouts)) is not None]
        with self._lock:
            ticks = self._ticks.between(math.nextafter(bounds_s[0], -math.inf), bounds_s[-1], wanted)
        drawn = draw(by, strips, ticks, bounds_s, step_s, horizon.ticks_s, self._name)
        return replace(drawn, start_s=starts_s, complete_s=horizon.complete_s)

    def latest(self) -> Mapping[str, Window]:
        """The newest window of each device that has had one; it may be old where a device has left."""
        with self._lock:
            offset_s = self._offset_s
            newest = {name: book.newest for name, book in self._devices.items() if book.newest is not None}
        before = self._windows
        windows = {}
        for name, window in newest.items():
            known = before.get(name)
            fresh = known is None or known[0] is not window or known[1] != offset_s
            windows[name] = (window, offset_s, window_of(window, offset_s)) if fresh or known is None else known
        self._windows = windows
        return {name: window for name, (_, _, window) in windows.items()}

    def reach(self) -> tuple[float, float] | None:
        """From when to when there is something; None while there is nothing."""
        with self._lock:
            first_s, now_s, offset_s = self._start_s(), self._now_s, self._offset_s
        return None if first_s is None else (first_s - offset_s, now_s - offset_s)

    def _reached(self, now_s: float) -> None:
        """Time has gone on: from time to time look for what is too old."""
        self._now_s = max(self._now_s, now_s)
        if self._now_s - self._swept_s >= self._lengths.bucket_s:
            self._sweep()
            self._swept_s = self._now_s
        if len(self._register) > MOST_KNOWN and self._named_s < self._now_s - self._lengths.recent_s:
            self._forget_parts()

    def _sweep(self) -> None:
        self._ticks.drop_silent()
        for name in self._ticks.up():
            if name in self._devices:
                self._devices[name].seen_s = self._now_s
        for name, book in list(self._devices.items()):
            book.expire(self._now_s)
            if book.seen_s < self._now_s - self._lengths.span_s:
                self._forget(name)

    def _forget(self, name: str) -> None:
        self._devices.pop(name).forget()
        self._ticks.forget(name)

    def _forget_parts(self) -> None:
        """Too many processes are told by name: the oldest buckets tell of none any more."""
        self._named_s = max(self._named_s, self._start_s() or 0.0) + self._lengths.span_s / NAME_PARTS
        for book in self._devices.values():
            book.forget_parts(self._named_s)

    def _book(self, device: Device) -> DeviceBook | None:
        """That of `device`. Where there are too many, the one that left first makes room."""
        book = self._devices.get(device.id)
        if book is None:
            if len(self._devices) >= MOST_DEVICES:
                self._forget(min(self._devices, key=lambda name: self._devices[name].seen_s))
            book = self._devices[device.id] = DeviceBook(device, self._lengths, self._register, self._ticks.range_w)
        return book

    def _calibration(self, device: str) -> Calibration | None:
        book = self._devices.get(device)
        return book.newest.calibration if book is not None and book.newest is not None else None

    def _name(self, number: int) -> ProcessInfo | None:
        with self._lock:
            return self._register.info(number)

    def _strip(self, name: str, bounds_s: Sequence[float], step_s: float, layouts: Layouts) -> Strip | None:
        with self._lock:
            book = self._devices.get(name)
            if book is None:
                return None
            rows, scale_now = book.between(bounds_s[0], bounds_s[-1], step_s), book.scale
        return cut(name, scale_now, rows, bounds_s, layouts)

    def _start_s(self) -> float | None:
        starts_s = [self._ticks.start_s, *[book.start_s for book in self._devices.values()]]
        return min([start_s for start_s in starts_s if start_s is not None], default=None)

    def _horizon(self, devices: Iterable[str]) -> Horizon | None:
        first_s = self._start_s()
        if first_s is None:
            return None
        ends_s = [end_s for name in devices if (end_s := self._held_back_s(name)) is not None]
        ticks_s = self._ticks.start_s
        return Horizon(
            self._offset_s,
            max(first_s, self._now_s - self._lengths.span_s) - self._offset_s,
            self._now_s - self._offset_s,
            min(ends_s, default=self._now_s) - self._offset_s,
            math.inf if ticks_s is None else ticks_s,
        )

    def _held_back_s(self, name: str) -> float | None:
        """Up to where the steps of a device are complete; None for one that is not waited for."""
        book = self._devices.get(name)
        newest = None if book is None else book.newest
        if newest is not None:
            span_s = min(LONGEST_WINDOW_S, newest.end_s - newest.start_s)
            if newest.end_s >= self._now_s - PATIENCE_S - 2 * span_s:
                return newest.end_s
        return self._ticks.up_since(name, FIRST_WINDOW_S)


def _complete_steps(horizon: Horizon | None, start_s: float, end_s: float, step_s: float) -> range:
    """The numbers of the steps in the range about which all is known that ever will be."""
    if horizon is None:
        return step_numbers(0.0, 0.0, step_s)
    asked = step_numbers(max(start_s, horizon.oldest_s), min(end_s, horizon.now_s), step_s)
    return range(asked.start, min(asked.stop, math.floor(horizon.complete_s / step_s)))


def _values(column: Sequence[float]) -> tuple[float | None, ...]:
    """Watts; None where the device was down."""
    if math.isnan(sum(column)):
        return tuple(None if math.isnan(power_w) else power_w for power_w in column)
    return tuple(column)
