"""The values that a power sensor has published, from the reads that have shown them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from aipower.energy.changes import JITTER_S, SHARPEST_SE_S

LATE = 0.5
"""A value that has not changed is taken as published again when it is so many periods late: it could have changed."""
FLICKER = 0.05
"""A change by no more than this share is one of those that come with each publication."""
SLOWER = 1.5
"""A sensor is slower than known where so many of its periods pass between two flickers."""
SLOWEST_S = 1.0
"""The longest that a driver caches (science of A3)."""
REGULAR, IRREGULAR = 4, 0.3
"""So many gaps in a row that differ by no more than this share are a period: at rest a value may also just stand."""

Published = tuple[float, float]
"""The instant of a publication, and its watts."""


def change_of(before_w: float, now_w: float) -> float:
    """How much two different values differ, as a share of the higher one."""
    return abs(now_w - before_w) / max(before_w, now_w)


class Cadence:
    """How often a sensor publishes, learned where drivers cache its values for longer than it is known for.

    Only changes up to `largest` teach: power at rest or at work flickers from value to value, so that each publication
    shows, but a jump may come any number of publications after the last.
    """

    def __init__(self, period_s: float, largest: float) -> None:
        self._default_s = self.period_s = period_s
        self._largest = largest
        self._last: tuple[float, float] | None = None
        self._gaps_s: deque[float] = deque(maxlen=REGULAR)
        self._slow = 0

    @property
    def sure(self) -> bool:
        """False while all changes come so much farther apart that the period may be another."""
        return self._slow < REGULAR

    def see(self, after_s: float, by_s: float, change: float) -> bool:
        """Take in a change between two reads, by the share `change` of the value; True where the period is another."""
        last, self._last = self._last, (after_s, by_s)
        if last is None:
            return False
        shortest_s, known_s = after_s - last[1], self.period_s
        self._slow = self._slow + 1 if shortest_s > SLOWER * known_s else 0
        if change > self._largest:
            return False
        longest_s = by_s - last[0]
        if longest_s < SLOWER * self._default_s:
            self._gaps_s.clear()
            self.period_s = self._default_s
        elif SLOWER * self._default_s < shortest_s and longest_s < SLOWER * SLOWEST_S:
            self._gaps_s.append((shortest_s + longest_s) / 2)
            self._learn()
        return self.period_s != known_s

    def _learn(self) -> None:
        middle_s = sorted(self._gaps_s)[len(self._gaps_s) // 2]
        regular = all(abs(gap_s - middle_s) <= IRREGULAR * middle_s for gap_s in self._gaps_s)
        if len(self._gaps_s) == REGULAR and regular and abs(middle_s - self.period_s) > IRREGULAR * self.period_s:
            self.period_s = middle_s


class Rhythm:
    """Instants a whole number of periods apart, of which some are seen between two reads."""

    def __init__(self, period_s: float, teaches: float = FLICKER) -> None:
        self.period_s = period_s
        """The sensor's usual period, or what it has been seen to be."""
        self._cadence = Cadence(period_s, teaches)
        self._earliest_s = self._latest_s = -math.inf

    @property
    def sure(self) -> bool:
        """False while the period may be another."""
        return self._cadence.sure

    @property
    def se_s(self) -> float:
        """Standard error of an instant."""
        width_s = min(self._latest_s - self._earliest_s, self.period_s) if self._latest_s > 0 else self.period_s
        return math.hypot(SHARPEST_SE_S, JITTER_S, width_s / math.sqrt(12))

    def see(self, after_s: float, by_s: float, change: float) -> float:
        """The instant between two reads of values that differ by `change`; it narrows what is known of the others."""
        if self._cadence.see(after_s, by_s, change):
            self.period_s = self._cadence.period_s
            self._earliest_s = self._latest_s = -math.inf
        period_s = self.period_s
        after_s = max(after_s, by_s - period_s)
        earliest_s, latest_s = self._earliest_s, self._latest_s
        if latest_s > -math.inf:
            # Known by the two reads and by the instants before, which are whole periods away.
            shift_s = round(((after_s + by_s) / 2 - (earliest_s + latest_s) / 2) / period_s) * period_s
            earliest_s, latest_s = earliest_s + shift_s - JITTER_S, latest_s + shift_s + JITTER_S
            earliest_s = max(earliest_s, after_s)
            latest_s = min(latest_s, by_s)
        if earliest_s >= latest_s:
            earliest_s, latest_s = after_s, by_s
        self._earliest_s, self._latest_s = earliest_s, latest_s
        return (earliest_s + latest_s) / 2


class Publications:
    """Follows one sensor. What is published once more without a change is seen by its rhythm only."""

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        """How often the sensor publishes."""
        # A running average moves with each publication while the power of its window differs, by jumps as by flickers.
        self._rhythm = Rhythm(period_s, math.inf)
        self._read: Published | None = None
        self._last_s = -math.inf

    @property
    def sure(self) -> bool:
        """False while the period may be another."""
        return self._rhythm.sure

    @property
    def timing_se_s(self) -> float:
        """Standard error of the instants."""
        return self._rhythm.se_s

    def restart(self) -> None:
        """Forget the value, after a gap."""
        self._read = None

    def read(self, at_s: float, power_w: float) -> Sequence[Published]:
        """The publications that this read makes known, oldest first; at the first read one, of about now."""
        before, self._read = self._read, (at_s, power_w)
        if before is None:
            self._last_s = at_s - self.period_s / 2
            return ((self._last_s, power_w),)
        before_s, before_w = before
        if power_w == before_w:
            return self._again(at_s - LATE * self.period_s, power_w)
        instant_s = self._rhythm.see(before_s, at_s, change_of(before_w, power_w))
        self.period_s = self._rhythm.period_s
        news = self._again(instant_s - LATE * self.period_s, before_w)
        if news and at_s - before_s > self.period_s:
            # Values that no read has shown lie on the straight line between their neighbours.
            step_w = (power_w - before_w) / (len(news) + 1)
            news = [(again_s, before_w + number * step_w) for number, (again_s, _) in enumerate(news, start=1)]
        if instant_s > self._last_s:
            self._last_s = instant_s
            news.append((instant_s, power_w))
        return news

    def _again(self, until_s: float, power_w: float) -> list[Published]:
        """The value once more, at each instant at which it was published again up to `until_s`."""
        news: list[Published] = []
        period_s = self.period_s
        again_s = self._last_s + period_s
        while again_s <= until_s:
            news.append((again_s, power_w))
            self._last_s = again_s
            again_s += period_s
        return news
