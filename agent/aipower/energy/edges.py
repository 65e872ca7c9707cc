"""The two ends of an account: where they cut a step of the counter, and how far that may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec.structs import replace

from aipower.energy.levels import Level, Levels, best
from aipower.energy.split import Split
from aipower.model import EnergyDelta

UNSEEN_SE = 0.3
"""The power before an account stands for that after it, off by this share of it, where none was seen after it."""
SHARED_UNREST = 0.5
"""Share of the unrest inside an account that may be a neighbour's, and then goes on outside."""
CHANGED = 0.7
"""Standard error of a level, in units of what has changed outside from before the account to after it."""
SETTLED = 6
"""Steps after the opening from which its unrest is judged; then its error is final."""
HELD_STEPS = 3
"""Steps held back at an opening while the level after it is not known."""


class Edges:
    """Cuts the account out of the device's energy."""

    def __init__(self, sources: Sequence[Levels]) -> None:
        self._sources = sources
        self.open_s = float("-inf")
        self.close_s = float("inf")
        self._before_run: Level | None = None
        self._after_run: Level | None = None
        self.opened = True
        """False while the step that holds the beginning is awaited."""
        self._first: Split | None = None
        self._first_steps = 0
        self._last_se_uj = 0.0

    def open(self, at_s: float) -> None:
        """Begin at `at_s`."""
        self.open_s, self.close_s, self.opened = at_s, float("inf"), False
        self._before_run = best(source.before(at_s) for source in self._sources)
        self._first, self._first_steps, self._last_se_uj = None, 0, 0.0
        self._after_run = None

    def end(self, at_s: float) -> None:
        """No level after `at_s` is that of the account."""
        self.close_s = at_s

    @property
    def se_uj(self) -> float:
        """Standard error of the account's energy for its two ends, in microjoules."""
        return math.hypot(self._first.se_uj if self._first else 0.0, self._last_se_uj)

    def first_split(self, delta: EnergyDelta, timing_se_s: float, unseen_s: float) -> Split:
        """Where the account begins inside `delta`, the energy of which tells nothing of `unseen_s` in each period."""
        inside = best(source.after(self.open_s, self.close_s) for source in self._sources)
        outside = self._outside(self._before_run, inside)
        self._first = Split(delta, self.open_s, outside, inside, timing_se_s, unseen_s, "after").settled()
        return self._first

    def knows_inside(self) -> bool:
        """True when the level after the beginning has been seen."""
        return any(source.after(self.open_s, self.close_s) is not None for source in self._sources)

    def refine(self) -> None:
        """A step has passed: judge the unrest after the beginning anew, until enough of it was seen."""
        if self._first_steps < SETTLED:
            self._first_steps += 1
            self._judge_first(best(source.after(self.open_s, self.close_s) for source in self._sources))

    def last_split(self, delta: EnergyDelta, at_s: float, timing_se_s: float, unseen_s: float) -> Split:
        """Where the account ends inside `delta`, the energy of which tells nothing of `unseen_s` in each period."""
        self._after_run = best(source.after(at_s) for source in self._sources)
        inside = self._inside(self.level_until(at_s))
        outside = self._outside(self._after_run or self._as_before_run(), inside)
        last = Split(delta, at_s, inside, outside, timing_se_s, unseen_s)
        self._last_se_uj = last.se_uj
        if self._first is not None:
            self._judge_first(self._first.after)
        return last

    def _judge_first(self, inside: Level | None) -> None:
        """The error of the first cut, by what is known now; its energy has been handed out."""
        if self._first is not None and self._first.settled_weight is not None:
            after = self._inside(inside)
            self._first = replace(self._first, before=self._outside(self._before_run, after), after=after)

    def tail(self, since_s: float, at_s: float, timing_se_s: float, otherwise: Level) -> int:
        """Energy from the counter's last news to the end, by the level there, in microjoules.

        Where no level has been seen of late, `otherwise` stands for it.
        """
        level = self.level_until(at_s) or best(source.before(at_s) for source in self._sources)
        level = level or Level(otherwise.power_w, math.hypot(otherwise.se_w, UNSEEN_SE * otherwise.power_w))
        self._last_se_uj = 1e6 * math.hypot(level.se_w * (at_s - since_s), level.power_w * timing_se_s)
        return round(level.power_w * (at_s - since_s) * 1e6)

    def level_until(self, at_s: float) -> Level | None:
        """The account's own level just before `at_s`."""
        return best(source.before(at_s, self.open_s) for source in self._sources)

    def _outside(self, level: Level | None, inside: Level | None) -> Level | None:
        """A level beside the account, with the unrest that a single look at it cannot show.

        Some of the unrest inside may be a neighbour's.
        """
        shared_w = inside.se_w * SHARED_UNREST if inside else 0.0
        return None if level is None else _less_sure(level, math.hypot(shared_w, self._changed_w()))

    def _inside(self, level: Level | None) -> Level | None:
        """The account's own level: who has changed the one outside may have done so inside as well."""
        return None if level is None else _less_sure(level, self._changed_w())

    def _changed_w(self) -> float:
        """Standard error for what has changed outside from before to after: it may have changed at any time."""
        one, other = self._before_run, self._after_run
        return CHANGED * abs(one.power_w - other.power_w) if one and other else 0.0

    def _as_before_run(self) -> Level | None:
        level = self._before_run
        return None if level is None else _less_sure(level, UNSEEN_SE * level.power_w)


def _less_sure(level: Level, se_w: float) -> Level:
    return replace(level, se_w=math.hypot(level.se_w, se_w))
