"""Where the energy of a counter's step lies, on both sides of an instant inside it."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from aipower.energy.levels import Level
from aipower.model import EnergyDelta

FOREIGN = 3.0
"""Two estimates that differ by less than the root of so many variances may do so by chance."""
NEVER = 10.0
"""So many standard errors away nothing lies."""
UNKNOWN_SE = 0.5
"""Standard error of a split in proportion to time, in units of the mean power times the root of the two lengths: a
step from nothing to full power inside the delta is off by up to that."""


class Estimate(Struct, frozen=True, gc=False):
    """Energy before the instant with its variance."""

    energy_uj: float
    variance_uj2: float


class Split(Struct, frozen=True, gc=False):
    """The question: how much of `delta` was before `at_s`, an instant inside it?

    The step's energy is exact; what is not known is where in it the power changed. A level before the instant gives
    the energy before it, a level after it gives the rest; both are weighed by their variances. Where they contradict
    each other by more than these explain, the power has changed elsewhere too (docs/method/device-energy.md).
    """

    delta: EnergyDelta
    at_s: float
    before: Level | None = None
    after: Level | None = None
    timing_se_s: float = 0.0
    """Standard error of the instants at which the delta begins and ends."""
    unseen_s: float = 0.0
    """How much of it the delta's energy does not know: a counter that sees all of the time knows all."""
    kept: Literal["before", "after"] = "before"
    """The side that is wanted: an error of the delta's energy is of no matter to a side known from its own level."""
    settled_weight: float | None = None
    """Weight of the level before, where the energy was handed out by it and only its error is judged anew."""

    @property
    def before_uj(self) -> int:
        """The energy before the instant: from 0 to all, where the delta knows all of it.

        Where it does not, the side that is kept may have had more than all.
        """
        least_uj = -self._missed_uj(self.after) if self.kept == "after" else 0.0
        most_uj = self.delta.energy_uj + (self._missed_uj(self.before) if self.kept == "before" else 0.0)
        return round(min(max(self.estimate().energy_uj, least_uj), most_uj))

    def _missed_uj(self, level: Level | None) -> float:
        """What the delta's energy may lack of a level."""
        return 0.0 if level is None else level.power_w * self.unseen_s * 1e6

    @property
    def se_uj(self) -> float:
        """Standard error of the energy on either side, in microjoules."""
        return math.sqrt(self.estimate().variance_uj2)

    def settled(self) -> Split:
        """The same, with the weights of now for good."""
        left, right = self._sides()
        if left is None or right is None:
            return replace(self, settled_weight=None if left is right else float(right is None))
        return replace(self, settled_weight=_weight(left, right))

    def estimate(self) -> Estimate:
        """The energy before the instant before it is made possible (0 to all) and whole."""
        found = self._weighed()
        return replace(found, variance_uj2=found.variance_uj2 + self._beyond_uj2())

    def _beyond_uj2(self) -> float:
        """Where the instant is close to an end of the delta, it may lie beyond: what is between is then not here."""
        if self.timing_se_s <= 0:
            return 0.0
        left_s, right_s = self.at_s - self.delta.start_s, self.delta.end_s - self.at_s
        after_w = self.after.power_w if self.after else self.delta.mean_w
        before_w = self.before.power_w if self.before else self.delta.mean_w
        beyond = after_w**2 * _beyond(left_s / self.timing_se_s) + before_w**2 * _beyond(right_s / self.timing_se_s)
        return beyond * (self.timing_se_s * 1e6) ** 2

    def _weighed(self) -> Estimate:
        left, right = self._sides()
        if left is not None and right is not None:
            weight = _weight(left, right) if self.settled_weight is None else self.settled_weight
            return _combined(left, right, weight, (self.at_s - self.delta.start_s) / self.delta.span_s)
        by_time = _by_time(float(self.delta.energy_uj), self.at_s - self.delta.start_s, self.delta.end_s - self.at_s)
        return left or right or by_time

    def _sides(self) -> tuple[Estimate | None, Estimate | None]:
        """The energy before the instant by the level before it, and by the level after it."""
        left = right = None
        if self.before is not None:
            left = self._with_total(self._side(self.before, self.at_s - self.delta.start_s), "after")
        if self.after is not None:
            beyond = self._side(self.after, self.delta.end_s - self.at_s)
            right = Estimate(self.delta.energy_uj - beyond.energy_uj, beyond.variance_uj2)
            right = self._with_total(right, "before")
        return left, right

    def _with_total(self, estimate: Estimate, side: str) -> Estimate:
        """With the error of the delta's energy, where `side` is the remainder of it that is wanted."""
        if self.kept != side:
            return estimate
        return replace(estimate, variance_uj2=estimate.variance_uj2 + self._energy_uj2())

    def _energy_uj2(self) -> float:
        """Mean square error of the delta's energy where the power changes once in what was not looked at."""
        if self.before is None or self.after is None:
            return 0.0
        change_w = self.after.power_w - self.before.power_w
        return (self.unseen_s * change_w * 1e6) ** 2 / 3

    def _side(self, level: Level, span_s: float) -> Estimate:
        unrest_uj = level.se_w * span_s * 1e6
        # A piece of many flickers is off by the root of their number, one shorter than a flicker by all of it.
        flicker_uj = level.flicker_w * math.sqrt(span_s * min(span_s, level.flicker_s)) * 1e6
        timing_uj = math.hypot(level.power_w, level.se_w) * self.timing_se_s * 1e6
        return Estimate(level.power_w * span_s * 1e6, unrest_uj**2 + flicker_uj**2 + timing_uj**2)


def _beyond(distance: float) -> float:
    """The second moment of a standard normal variable beyond `distance`, counted from there."""
    if distance > NEVER:
        return 0.0
    density = math.exp(-(distance**2) / 2) / math.sqrt(2 * math.pi)
    return (1 + distance**2) * math.erfc(distance / math.sqrt(2)) / 2 - distance * density


def _weight(one: Estimate, other: Estimate) -> float:
    """The weight of `one` that makes the variance of both together least."""
    both_uj2 = one.variance_uj2 + other.variance_uj2
    return other.variance_uj2 / both_uj2 if both_uj2 > 0 else 0.5


def _combined(one: Estimate, other: Estimate, weight: float, share: float) -> Estimate:
    """Both estimates, `weight` of the one; where they differ by more than chance, energy of neither is in between.

    That rest lies anywhere in the delta: `share` of it before the instant, as a draw of one.
    """
    both_uj2 = one.variance_uj2 + other.variance_uj2
    rest_uj = other.energy_uj - one.energy_uj
    foreign = 1 - FOREIGN * both_uj2 / rest_uj**2 if rest_uj**2 > FOREIGN * both_uj2 else 0.0
    agreed_uj = weight * one.energy_uj + (1 - weight) * other.energy_uj
    agreed_uj2 = weight**2 * one.variance_uj2 + (1 - weight) ** 2 * other.variance_uj2
    return Estimate(
        (1 - foreign) * agreed_uj + foreign * (one.energy_uj + rest_uj * share),
        (1 - foreign) * agreed_uj2 + foreign * rest_uj**2 * share * (1 - share),
    )


def _by_time(total_uj: float, left_s: float, right_s: float) -> Estimate:
    span_s = left_s + right_s
    se_uj = UNKNOWN_SE * total_uj / span_s * math.sqrt(left_s * right_s)
    return Estimate(total_uj * left_s / span_s, se_uj**2)


def after(split: Split) -> EnergyDelta:
    """The part of the delta after the instant."""
    return replace(split.delta, start_s=split.at_s, energy_uj=split.delta.energy_uj - split.before_uj)


def before(split: Split) -> EnergyDelta:
    """The part of the delta before the instant."""
    return replace(split.delta, end_s=split.at_s, energy_uj=split.before_uj)
