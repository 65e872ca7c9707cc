"""Power of all devices at full rate: one shared column of times, one column of watts for each device."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

NAN = math.nan
HUGE_W = 1e9
"""No device draws this; what is above, infinite or no number is no power."""
SPARE = 1 / 8
"""Old rows go when there is this part too many: to cut a column at its front moves all the rest."""


class TickColumns(Struct, frozen=True):
    """A copy of some rows; NaN where a device was down."""

    at_s: array[float]
    power_w: Mapping[str, array[float]]


class TickBook:
    """At most about `most_rows` rows of at most `span_s`. Not thread-safe."""

    def __init__(self, span_s: float, most_rows: int, most_devices: int) -> None:
        self._span_s = span_s
        self._most_rows = most_rows
        self._most_devices = most_devices
        self._at_s = array("d")
        self._power_w: dict[str, array[float]] = {}

    @property
    def start_s(self) -> float | None:
        """Time of the oldest row; None without rows."""
        return self._at_s[0] if self._at_s else None

    @property
    def end_s(self) -> float | None:
        """Time of the newest row; None without rows."""
        return self._at_s[-1] if self._at_s else None

    def add(self, at_s: float, powers_w: Mapping[str, float | None]) -> bool:
        """Add a row; False if it is not newer than the last one, and so was left out."""
        times, columns = self._at_s, self._power_w
        if times and not at_s > times[-1]:
            return False
        if not powers_w.keys() <= columns.keys():
            self._open(powers_w)
        row = [
            power_w if power_w is not None and -HUGE_W < power_w < HUGE_W else NAN
            for power_w in map(powers_w.get, columns)
        ]
        for column, power_w in zip(columns.values(), row, strict=True):
            column.append(power_w)
        times.append(at_s)
        if len(times) > self._most_rows * (1 + SPARE) or times[0] < at_s - self._span_s * (1 + SPARE):
            self._trim(at_s)
        return True

    def between(self, after_s: float, until_s: float, devices: Iterable[str]) -> TickColumns:
        """The rows after `after_s` and before `until_s` of those devices that are known."""
        first, last = bisect_right(self._at_s, after_s), bisect_left(self._at_s, until_s)
        columns = self._power_w
        return TickColumns(
            self._at_s[first:last], {name: columns[name][first:last] for name in devices if name in columns}
        )

    def range_w(self, device: str, start_s: float, end_s: float) -> tuple[float, float]:
        """The lowest and the highest power of a device from `start_s` until before `end_s`; NaN if there is none."""
        column = self._power_w.get(device)
        if column is None:
            return NAN, NAN
        first, last = bisect_left(self._at_s, start_s), bisect_left(self._at_s, end_s)
        seen = [power_w for power_w in column[first:last] if power_w == power_w]  # noqa: PLR0124 - NaN is not itself
        return (min(seen), max(seen)) if seen else (NAN, NAN)

    def up_since(self, device: str, look_back_s: float) -> float | None:
        """Since when a device that is up has been so; None if it is down, or up for more than `look_back_s`."""
        column, times = self._power_w.get(device), self._at_s
        if not column or math.isnan(column[-1]):
            return None
        first = bisect_left(times, times[-1] - look_back_s)
        last_down = max((row for row in range(first, len(times)) if math.isnan(column[row])), default=first - 1)
        return None if last_down < first and first > 0 else times[last_down + 1]

    def drop_silent(self) -> None:
        """Drop the columns of the devices that were down all the time."""
        for device, column in list(self._power_w.items()):
            if math.isnan(column[-1]) and all(map(math.isnan, column)):
                del self._power_w[device]

    def up(self) -> Collection[str]:
        """The devices that the newest row has a power of."""
        return [name for name, column in self._power_w.items() if column and column[-1] == column[-1]]

    def forget(self, device: str) -> None:
        """Drop the column of a device."""
        self._power_w.pop(device, None)

    def _open(self, devices: Iterable[str]) -> None:
        for device in devices:
            if device not in self._power_w and len(self._power_w) < self._most_devices:
                self._power_w[device] = array("f", [NAN]) * len(self._at_s)

    def _trim(self, now_s: float) -> None:
        old = max(len(self._at_s) - self._most_rows, bisect_left(self._at_s, now_s - self._span_s))
        for column in (self._at_s, *self._power_w.values()):
            del column[:old]
