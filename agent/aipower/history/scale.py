"""How far a sum of energies may be off: errors of its own, and the scales of the sensors behind it.

Devices of one kind that nobody has calibrated may all be off in the same direction: their errors add up linearly.
Kinds, calibrated devices and independent errors add in squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import add

from msgspec import Struct, field

from aipower.books.uncertainty import Scale
from aipower.calibration.apply import read_uj
from aipower.calibration.entry import Z_95
from aipower.model import UJ_PER_J, Calibration

Series = Sequence[float]
"""A value for each step."""


def power_half_w(calibration: Calibration, power_w: float) -> float:
    """Half-width of the 95 % interval of a power of the whole device."""
    return energy_half_j(calibration, power_w, 1.0)


def energy_half_j(calibration: Calibration, energy_j: float, span_s: float) -> float:
    """Half-width of the 95 % interval of an energy of the whole device over `span_s`."""
    shown_uj = read_uj(calibration, energy_j * UJ_PER_J, span_s)
    return Z_95 * calibration.error_uj(shown_uj, span_s) / UJ_PER_J


class Doubt(Struct):
    """The errors of one layer, step by step."""

    steps: int
    own_j2: list[float] | None = None
    """Variance of all but the scales; None for none."""
    gains_j: dict[Scale, list[float]] = field(default_factory=dict)
    """Energies that only the gain of a sensor works on: offsets cancel in them."""
    wholes: dict[Scale, tuple[list[float], list[float]]] = field(default_factory=dict)
    """Energies in joules and for how many seconds offsets were added to them."""

    def add_own(self, variance_j2: Series, systematic_j: Series) -> None:
        """Take in the errors of one device's part beside its scale."""
        squares = [
            variance + systematic * systematic for variance, systematic in zip(variance_j2, systematic_j, strict=True)
        ]
        self.own_j2 = squares if self.own_j2 is None else list(map(add, self.own_j2, squares))

    def add_gain(self, scale: Scale, energy_j: Series) -> None:
        """Take in energy of a part of a device."""
        before = self.gains_j.get(scale)
        self.gains_j[scale] = list(energy_j) if before is None else list(map(add, before, energy_j))

    def add_whole(self, scale: Scale, energy_j: Series, span_s: Series) -> None:
        """Take in energy that was read as it is, offset and all."""
        before = self.wholes.get(scale)
        if before is None:
            self.wholes[scale] = list(energy_j), list(span_s)
        else:
            self.wholes[scale] = list(map(add, before[0], energy_j)), list(map(add, before[1], span_s))

    def half_w(self, step_s: float) -> list[float]:
        """Half-width of the 95 % interval of the mean power of each step."""
        sum_j2 = self.own_j2 if self.own_j2 is not None else [0.0] * self.steps
        for scale, energy_j in self.gains_j.items():
            relative = scale.calibration.gain_se / scale.calibration.gain
            sum_j2 = [square + (relative * energy) ** 2 for square, energy in zip(sum_j2, energy_j, strict=True)]
        for scale, (energy_j, span_s) in self.wholes.items():
            errors_j2 = _errors_j2(scale.calibration, energy_j, span_s)
            sum_j2 = list(map(add, sum_j2, errors_j2))
        return [Z_95 * math.sqrt(square) / step_s if square > 0 else 0.0 for square in sum_j2]


def _errors_j2(calibration: Calibration, energy_j: Series, span_s: Series) -> list[float]:
    """Variance that the scale leaves in each of the energies."""
    error_uj = calibration.error_uj
    as_read = calibration.gain == 1.0 and calibration.offset_w == 0.0
    return [
        (error_uj(energy * 1e6 if as_read else read_uj(calibration, energy * UJ_PER_J, span), span) / 1e6) ** 2
        for energy, span in zip(energy_j, span_s, strict=True)
    ]
