"""How far an energy may be off, read back from its two intervals so that energies of several records can be added.

A record gives each energy with and without the scale of its sensor. Errors of scale are the same in all that one
sensor shows, and for what is known also in all uncalibrated sensors of a kind: they add up linearly. Other errors
belong to a device: the ranks that share it share its idle level, so within a device they are added linearly too (to be
on the safe side), over devices in squares. What makes an interval lopsided is a bound; bounds add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from aipower.runrecord import Interval


class Spread(Struct, frozen=True):
    """An energy and its errors, all 95 % half-widths in joules."""

    energy_j: float = 0.0
    own_j: float = 0.0
    """Of all errors but those below."""
    less_j: float = 0.0
    """It may be less by this beyond its errors."""
    more_j: float = 0.0
    """It may be more by this beyond its errors."""
    scales_j: Mapping[str, float] = field(default_factory=dict)
    """Of the sensors' scales, by what has one scale in common."""

    @property
    def absolute_j(self) -> Interval:
        """95 %, the scale of the sensors included."""
        return self._around(math.hypot(self.own_j, *self.scales_j.values()))

    @property
    def repeatable_j(self) -> Interval:
        """95 %, the scale of the sensors left out."""
        return self._around(self.own_j)

    def _around(self, half_j: float) -> Interval:
        return max(0.0, self.energy_j - half_j - self.less_j), self.energy_j + half_j + self.more_j

    def beside(self, other: Spread) -> Spread:
        """The sum with another energy of the same device."""
        return self._plus(other, self.own_j + other.own_j)

    def apart_from(self, other: Spread) -> Spread:
        """The sum with an energy of another device."""
        return self._plus(other, math.hypot(self.own_j, other.own_j))

    def wider_by(self, more_j: float) -> Spread:
        """The same energy, which may be `more_j` more."""
        return replace(self, more_j=self.more_j + more_j)

    def at(self, energy_j: float) -> Spread:
        """Another energy with the same errors."""
        return replace(self, energy_j=energy_j)

    def _plus(self, other: Spread, own_j: float) -> Spread:
        scopes = sorted({*self.scales_j, *other.scales_j})
        scales_j = {scope: self.scales_j.get(scope, 0.0) + other.scales_j.get(scope, 0.0) for scope in scopes}
        energy_j = self.energy_j + other.energy_j
        return Spread(energy_j, own_j, self.less_j + other.less_j, self.more_j + other.more_j, scales_j)


def taken_apart(energy_j: float, absolute_j: Interval | None, repeatable_j: Interval | None, scope: str) -> Spread:
    """The errors of `energy_j`, whose intervals these are; `scope` is what the scale of its sensor holds for.

    The lower half of the interval without the scale is the error, and what the upper half has more is a bound. An
    interval that ends at 0 hides how far it would go: such energies may all be nothing.
    """
    low_j, high_j = repeatable_j or (energy_j, energy_j)
    own_j = max(0.0, energy_j - low_j)
    more_j = max(0.0, high_j - energy_j - own_j)
    return Spread(
        energy_j,
        own_j,
        own_j if low_j <= 0 else 0.0,
        more_j,
        {scope: _scale_j(energy_j, absolute_j, own_j, more_j)},
    )


def _scale_j(energy_j: float, absolute_j: Interval | None, own_j: float, more_j: float) -> float:
    """What the scale adds to the error `own_j`. Of both sides the larger: one may be cut off, at 0 or at the whole."""
    if absolute_j is None:
        return 0.0
    low_j, high_j = absolute_j
    sides_j = [high_j - energy_j - more_j, energy_j - low_j if low_j > 0 else 0.0]
    return math.sqrt(max(0.0, max(sides_j) ** 2 - own_j**2)) if max(sides_j) > 0 else 0.0


def within(own_j: Interval, whole_j: Interval) -> Interval:
    """`own_j`, which can be no more than the whole."""
    return min(own_j[0], whole_j[1]), min(own_j[1], whole_j[1])
