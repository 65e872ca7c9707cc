"""Does a load hide between the moments at which a sensor looks?

A sensor that looks at a part of each period sees a load that switches in step with it always at the same point: its
readings are flat, or repeat after a few, while the device is busy only part of the time. What was not looked at may
then have been anything from the lowest power seen to the device's limit, and errors add up from period to period.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from aipower.model import Usage

LEAST_BUSY = 0.05
"""A device that is busy for less than this share of the time, or idle for less, does not switch."""
SAMPLE_S = 0.2
"""Busy seconds belong to a window that is shifted by up to so much: samples come each 1/6 s (science of A5)."""
FLAT, FLAT_W = 0.15, 2.0
"""Readings that deviate less than this share and these watts (root mean square) do not show a load that switches."""
FEWEST = 8
"""Readings that make a stretch flat: fewer may be so by chance."""
NEAR_LOWEST = 1.1
"""Up to this factor of the lowest power the device seems to rest."""
MOST_READINGS = 1024
"""Readings kept of a window that nobody asks for."""
WORKS = 2.0
"""A peak of so many times the other powers has shown what work draws; else only the limit is known."""
LOOKED_AT = 24
"""The latest values, in which a pattern is looked for."""
LONGEST = 6
"""The longest pattern that counts as one: a load that really is so slow is seen well enough."""
REPEATS = 0.9
"""Share of the values that come again after one length of the pattern."""
SAME = 0.25
"""Two values that differ by less than this share of the range are the same."""
SWITCHES = 0.3
"""Share of large changes from value to value in the shortest pattern: two in a length of six."""
RANGE = 0.2
"""Values whose range is less than this share of the highest make no pattern."""
PER_CHANGE = 0.5
"""Bound of what each change in a pattern may hide, in units of the change times the unseen part of a period."""


class Look(Struct, frozen=True, gc=False):
    """How the device's energy is known now."""

    unseen_s: float
    """How much of each period the readings do not show; 0 where they show all of it."""
    period_s: float
    part: bool
    """True where energy comes from what the readings show; False where that is not known."""
    limit_w: float
    """No more than this is possible."""

    @property
    def unseen_share(self) -> float:
        """The share of all time."""
        return self.unseen_s / self.period_s


class _Stretch(Struct):
    """Successive windows of flat readings."""

    readings: int = 0
    mean_w: float = 0.0
    span_s: float = 0.0
    busy_s: float = 0.0
    uncounted_s: float = 0.0
    """Seconds of it that no bound was counted for."""


class Alias:
    """Bounds what may have been hidden, window by window."""

    def __init__(self) -> None:
        self.bound_uj = 0.0
        """What all the energy so far may be off by."""
        self._lowest_w = math.inf
        self._peak_w = 0.0
        self._values_w: deque[float] = deque(maxlen=LOOKED_AT)
        self._window: deque[tuple[float, float]] = deque(maxlen=MOST_READINGS)
        self._changes_w = 0.0
        self._stretch = _Stretch()
        self._repeating = False

    def open(self) -> None:
        """A new account begins."""
        self.bound_uj = self._changes_w = 0.0
        self._stretch = _Stretch()
        self._repeating = False
        self._window.clear()
        self._values_w.clear()

    def see(self, at_s: float, power_w: float) -> None:
        """Take in a reading."""
        self._window.append((at_s, power_w))
        values_w = self._values_w
        if values_w and values_w[-1] == power_w:
            return
        if values_w:
            self._changes_w += abs(power_w - values_w[-1])
        values_w.append(power_w)
        self._lowest_w = min(self._lowest_w, power_w)
        self._peak_w = max(self._peak_w, power_w)

    def judge(self, usage: Usage | None, start_s: float, end_s: float, look: Look) -> bool:
        """Judge the readings since the last call, of which those from `start_s` to `end_s` belong to the account.

        `usage` says who worked in this time, None where nobody can tell. True where something may be hidden.
        """
        changes_w, self._changes_w = self._changes_w, 0.0
        if look.unseen_s <= 0 or end_s <= start_s:
            self._window.clear()
            self._stretch = _Stretch()
            return False
        from_s = start_s + look.period_s
        inside = [power_w for at_s, power_w in self._window if from_s < at_s <= end_s]
        self._window.clear()
        hidden_uj = self._flat_uj(inside, usage, end_s - start_s, look)
        if look.part and self._repeats():
            hidden_uj = max(hidden_uj, PER_CHANGE * look.unseen_s * changes_w * 1e6)
        self.bound_uj += hidden_uj
        return hidden_uj > 0

    def _repeats(self) -> bool:
        """True from when the values repeat for as long as they go on to jump: a value that was missed breaks a row."""
        values_w = list(self._values_w)
        self._repeating = jumps(values_w) and (self._repeating or comes_again(values_w))
        return self._repeating

    def _flat_uj(self, inside: Sequence[float], usage: Usage | None, span_s: float, look: Look) -> float:
        """What flat readings may hide of this window, and of those before it that were not counted."""
        stretch = self._continued(inside)
        self._stretch = stretch or _Stretch()
        if stretch is None or usage is None or not usage.sampled:
            return 0.0
        stretch.span_s += span_s
        stretch.uncounted_s += span_s
        stretch.busy_s += sum(usage.busy_s.values()) + usage.unknown_busy_s
        busy = stretch.busy_s / stretch.span_s
        least = LEAST_BUSY + SAMPLE_S / stretch.span_s
        rests = stretch.mean_w <= NEAR_LOWEST * self._lowest_w + FLAT_W
        if stretch.readings < FEWEST or not least < busy < 1 - least or not (look.part or rests):
            return 0.0
        hidden_uj = self._hidden_w(stretch.mean_w, busy, look) * stretch.uncounted_s * 1e6
        stretch.uncounted_s = 0.0
        return hidden_uj

    def _continued(self, inside: Sequence[float]) -> _Stretch | None:
        """The stretch with these readings, a new one where they differ from it, None if they are not flat."""
        if not inside:
            return self._stretch
        total_w = sum(inside)
        for stretch in (self._stretch, _Stretch()):
            count = stretch.readings + len(inside)
            mean_w = (stretch.mean_w * stretch.readings + total_w) / count
            apart_w = math.sqrt(sum([(power_w - mean_w) ** 2 for power_w in inside]) / len(inside))
            if apart_w <= FLAT * mean_w + FLAT_W:
                stretch.readings, stretch.mean_w = count, mean_w
                return stretch
        return None

    def _hidden_w(self, mean_w: float, busy: float, look: Look) -> float:
        """How far the mean power may be from `mean_w`: work lifts it for the busy share of the time at most."""
        has_worked = self._peak_w >= WORKS * max(self._lowest_w, mean_w)
        top_w = self._peak_w if has_worked else max(self._peak_w, look.limit_w)
        above_w = min(look.unseen_share, busy) * max(0.0, top_w - mean_w)
        below_w = look.unseen_share * max(0.0, mean_w - self._lowest_w)
        return max(above_w, below_w)


def jumps(values_w: Sequence[float]) -> bool:
    """True where every third value is far from the last."""
    if len(values_w) < LOOKED_AT:
        return False
    range_w = max(values_w) - min(values_w)
    large = sum(abs(b - a) >= range_w / 2 for a, b in itertools.pairwise(values_w))
    return range_w >= RANGE * max(values_w) and large >= SWITCHES * (len(values_w) - 1)


def comes_again(values_w: Sequence[float]) -> bool:
    """True where values repeat after two to `LONGEST`."""
    same_w = SAME * (max(values_w) - min(values_w))
    for length in range(2, LONGEST + 1):
        again = [abs(later - now) <= same_w for now, later in zip(values_w, values_w[length:], strict=False)]
        if sum(again) >= REPEATS * len(again):
            return True
    return False
