"""From power to energy, where there is no counter to trust, or to check the one there is.

What a power reading means depends on its sensor: the mean of the last `window_s`, published each `period_s`. The value
of a sensor that looks at all of its period is a step of energy, as exact as a counter's. One that looks at a part
stands for the whole, and what was not looked at is uncertain. A window longer than the period is a running average.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aipower.energy.average import UnfoldedAverage
from aipower.energy.boxcar import Boxcar
from aipower.energy.part import Part
from aipower.seams import SensorTraits

RUNNING = 1.5
"""A window longer than so many periods is a running average."""


class Integral(Protocol):
    """Integrates the power readings of one device; a gap longer than a bound is left out, not guessed."""

    @property
    def period_s(self) -> float:
        """How often the sensor publishes, as far as it is known by now."""
        ...

    @property
    def sure(self) -> bool:
        """False while the period may be another: what is integrated is then no witness."""
        ...

    @property
    def lag_s(self) -> float:
        """How far behind the latest reading the integral may end."""
        ...

    @property
    def timing_se_s(self) -> float:
        """Standard error of the instants between its parts."""
        ...

    @property
    def variance_uj2(self) -> float:
        """Variance of all energy so far for what the sensor has not looked at, in square microjoules."""
        ...

    @property
    def unseen_s(self) -> float:
        """How much of each period is not looked at."""
        ...

    def advance(self, at_s: float, power_w: float) -> Sequence[Part]:
        """The energy that a reading makes known; none at the first and after a gap."""
        ...


def integral_of(traits: SensorTraits, max_gap_s: float) -> Integral:
    """The right one for a sensor; readings that are farther apart than `max_gap_s` have a gap between them."""
    if traits.power_window_s > RUNNING * traits.power_period_s:
        return UnfoldedAverage(traits.power_period_s, traits.power_window_s, max_gap_s)
    return Boxcar(traits.power_period_s, traits.power_window_s, max_gap_s)
