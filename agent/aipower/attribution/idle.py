"""The idle level of a device, from windows that can only be too high, and how far it may be off."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

QUANTILE = 0.1
"""A low quantile, not the minimum: the minimum drifts down with sensor noise and temperature (science of D)."""
ODD = 2
"""Windows that may be too low for their edges' sake."""
WINDOWS = 600
"""Windows remembered: twenty minutes of an agent."""
LEARN_S = 0.1
"""Windows shorter than the usual update of a counter say little about power."""
TIMING_S = 0.1
"""Sparse reads may place one update of a counter on the wrong side of a window's edge."""
LEAST_BOUND_S = 0.25
"""Windows shorter than this bound nothing: one update more or less is most of them."""
SURE_WINDOWS = 3
"""Bare windows after which the level is taken as seen; before, the card may still be cooling down."""
LEAST_SE = 0.02
"""Standard error of a level from fewer windows, as a share of it, however well its readings agree."""
Z_95 = 1.96
"""Standard errors in half of a 95 % interval."""


def most_w(energy_uj: int, span_s: float) -> float | None:
    """The most that a window's power may have been in watts, one update missed; None if it is too short to tell."""
    return None if span_s < LEAST_BOUND_S else energy_uj / 1e6 / (span_s - TIMING_S)


class Lowest:
    """The lowest of the latest values, which is looked for anew only when it is forgotten."""

    def __init__(self, windows: int) -> None:
        """Of so many."""
        self._windows = windows
        self._values_w: deque[float] = deque()
        self.value_w: float | None = None
        """None before the first."""

    def add(self, value_w: float) -> None:
        """Remember one value."""
        values, lowest_w = self._values_w, self.value_w
        values.append(value_w)
        gone_w = values.popleft() if len(values) > self._windows else math.inf
        if lowest_w is None or value_w <= lowest_w:
            self.value_w = value_w
        elif gone_w <= lowest_w:
            self.value_w = min(values)


class LowQuantile:
    """A low quantile of the latest values."""

    def __init__(self) -> None:
        self._values_w: deque[float] = deque()
        self._ordered_w: list[float] = []
        self.value_w: float | None = None
        """The quantile, or None while there is nothing to take it of; of a few values not the lowest ones."""

    def add(self, value_w: float) -> None:
        """Remember one value."""
        values, ordered = self._values_w, self._ordered_w
        values.append(value_w)
        insort(ordered, value_w)
        if len(values) > WINDOWS:
            del ordered[bisect_left(ordered, values.popleft())]
        most = len(ordered) - 1
        self.value_w = ordered[max(math.floor(QUANTILE * most), min(ODD, most // 2))]


class IdleLevel:
    """The low quantile of bare windows, never above the lowest power of a used one, which holds idle too."""

    def __init__(self, windows: int) -> None:
        self._bare = LowQuantile()
        self._bare_windows = 0
        self._first_w: float | None = None
        self._used = Lowest(windows)

    def seed(self, value_w: float) -> None:
        """Take one reading as an upper bound: the card may have been busy a moment ago."""
        self._bare.add(value_w)
        self._first_w = value_w

    def add(self, value_w: float) -> None:
        """Learn from a window in which nobody seemed to hold or work."""
        self._bare.add(value_w)
        self._bare_windows += 1
        if self._first_w is None:
            self._first_w = value_w

    def cap(self, energy_uj: int, span_s: float) -> None:
        """Learn from a window that was used: idle is no more than it drew."""
        value_w = most_w(energy_uj, span_s)
        if value_w is not None:
            self._used.add(value_w)

    @property
    def lowest_w(self) -> float | None:
        """The lowest power of a used window, in watts; None before the first."""
        return self._used.value_w

    @property
    def value_w(self) -> float | None:
        """The idle level in watts, None while no bare reading was seen."""
        bare_w, lowest_w = self._bare.value_w, self._used.value_w
        return bare_w if bare_w is None or lowest_w is None else min(bare_w, lowest_w)

    @property
    def se_w(self) -> float:
        """Standard error of the level in watts: half of what it has come down since the first reading.

        True idle lies between 0 and the level, so a 95 % interval needs to reach no farther down.
        """
        level_w = self.value_w
        if level_w is None or self._first_w is None or self._bare_windows >= SURE_WINDOWS:
            return 0.0
        return min(max((self._first_w - level_w) / 2, LEAST_SE * level_w), level_w / Z_95)
