"""How high the power was beside an instant, and how far one may rely on that."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

NEIGHBOURS = 6
"""Values from which the unrest beside an instant is judged."""
KEPT = 64
"""Values remembered: those around the start of an account must outlast its first second."""
LEAST_SE_W, LEAST_SE = 0.5, 0.003
"""No level is known better than this: watts, and share of the level. Cards at rest and at steady work show as much."""
STALE_S = 0.6
"""A value last seen longer ago says nothing of now: the slowest cache of a driver is 0.5 s (science of A3)."""


class Level(Struct, frozen=True, gc=False):
    """Power on one side of an instant, and the standard error of taking it for all of that side."""

    power_w: float
    se_w: float
    span_s: float = 0.0
    """Over how long its values are means."""
    flicker_w: float = 0.0
    """Standard deviation of the means over `flicker_s`, which is shorter: what a short piece of it may differ by."""
    flicker_s: float = 0.0


class _Value(Struct, gc=False):
    """A mean power whose window ends after `after_s` and by `by_s`, last seen at `seen_s`."""

    after_s: float
    by_s: float
    seen_s: float
    power_w: float
    se_w: float


class Levels:
    """The latest values of one source of power, each the mean of the `window_s` before it was published."""

    def __init__(self, window_s: float, period_s: float) -> None:
        self._window_s = window_s
        self._span_s = window_s or period_s
        self._republished_s = 1.2 * period_s
        self._values: deque[_Value] = deque(maxlen=KEPT)

    def see(self, after_s: float, by_s: float, power_w: float, se_w: float = 0.0) -> None:
        """Take in a value that was published between two instants; one that has not changed is no news.

        `se_w` is the value's own standard error.
        """
        values = self._values
        if values and values[-1].power_w == power_w:
            values[-1].seen_s = by_s
        else:
            values.append(_Value(after_s, by_s, by_s, power_w, se_w))

    def before(self, at_s: float, since_s: float = -math.inf) -> Level | None:
        """The level up to `at_s` and after `since_s`, None if none is known."""
        earliest_s = since_s + self._window_s
        known = [value for value in self._values if value.by_s <= at_s and self._from(value, earliest_s)]
        if not known or at_s - known[-1].seen_s > STALE_S:
            return None
        return _level(known[: -NEIGHBOURS - 1 : -1], self._span_s)

    def after(self, at_s: float, until_s: float = math.inf) -> Level | None:
        """The level from `at_s` on, up to `until_s`, as far as it has been seen; None if none is known."""
        earliest_s = at_s + self._window_s
        known = [value for value in self._values if value.by_s <= until_s and self._from(value, earliest_s)]
        if not known or known[0].after_s - earliest_s > STALE_S:
            return None
        return _level(known[:NEIGHBOURS], self._span_s)

    def _from(self, value: _Value, earliest_s: float) -> bool:
        """True for a value published after `earliest_s`, or published again since: it has not changed."""
        return value.after_s >= earliest_s or value.seen_s >= earliest_s + self._republished_s


def best(levels: Iterable[Level | None]) -> Level | None:
    """The level that is known best; what another one differs from it by more than chance makes it less sure."""
    known = sorted((level for level in levels if level is not None), key=lambda level: level.se_w)
    if not known:
        return None
    first = known[0]
    beyond_w2 = max((_beyond_w2(first, other) for other in known[1:]), default=0.0)
    se_w = math.sqrt(first.se_w**2 + beyond_w2)
    finer = [other for other in known[1:] if other.span_s < first.span_s]
    if not finer:
        return replace(first, se_w=se_w)
    # Successive means that are independent differ by the root of 2 times their standard deviation.
    return replace(first, se_w=se_w, flicker_w=finer[-1].se_w / math.sqrt(2), flicker_s=finer[-1].span_s)


def _beyond_w2(one: Level, other: Level) -> float:
    return max(0.0, (one.power_w - other.power_w) ** 2 - one.se_w**2 - other.se_w**2)


def _level(values: Sequence[_Value], span_s: float) -> Level:
    """The nearest value, and how much neighbours differ (root mean square of successive differences)."""
    nearest = values[0]
    steps_w = [a.power_w - b.power_w for a, b in itertools.pairwise(values)]
    unrest_w = math.sqrt(sum(step_w**2 for step_w in steps_w) / len(steps_w)) if steps_w else 0.0
    return Level(nearest.power_w, math.hypot(unrest_w, nearest.se_w, LEAST_SE_W, LEAST_SE * nearest.power_w), span_s)
