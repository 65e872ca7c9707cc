"""How far an energy may be off: errors of its own, and the scale of the sensor that it was read from.

The first differ from run to run and from device to device: they add in squares. An error of scale is the same in all
that one sensor shows: it adds up linearly, and a second run on the same device has it again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct, field

from aipower.books.accounts import PartAccount
from aipower.calibration.apply import read_uj
from aipower.calibration.entry import Z_95
from aipower.model import Calibration, Device


class Scale(Struct, frozen=True):
    """The scale of one sensor, or of several that may all be off in the same direction."""

    scope: str
    """The device's id where it was calibrated by itself, else the kind of device."""
    calibration: Calibration

    def __hash__(self) -> int:
        """By the scope alone: that is quick, and one scope has one calibration but for the moment of a change."""
        return hash(self.scope)


class Exposure(Struct, frozen=True):
    """What an error of scale works on."""

    read_uj: float
    """Energy as the sensors show it, in microjoules."""
    span_s: float = 0.0
    """For how long offsets were added; 0 where they cancel."""

    def __add__(self, other: Exposure) -> Exposure:
        """Both."""
        return Exposure(self.read_uj + other.read_uj, self.span_s + other.span_s)


class Error(Struct, frozen=True):
    """The errors of an energy, so that energies can be added up."""

    own_uj2: float = 0.0
    """Variance of all but the scale, in square microjoules."""
    exposures: Mapping[Scale, Exposure] = field(default_factory=dict)

    def __add__(self, other: Error) -> Error:
        """Of the sum of two energies."""
        exposures = dict(self.exposures)
        for scale, exposure in other.exposures.items():
            exposures[scale] = exposures.get(scale, Exposure(0.0)) + exposure
        return Error(self.own_uj2 + other.own_uj2, exposures)

    @property
    def repeatable_95_uj(self) -> float:
        """Half-width of the 95 % interval in which energies of the same devices can be compared, in microjoules."""
        return Z_95 * math.sqrt(self.own_uj2)

    @property
    def absolute_95_uj(self) -> float:
        """Half-width of the 95 % interval of the true energy, in microjoules."""
        scales_uj2 = (
            scale.calibration.error_uj(exposure.read_uj, exposure.span_s) ** 2
            for scale, exposure in self.exposures.items()
        )
        return Z_95 * math.sqrt(self.own_uj2 + sum(scales_uj2))


def scale_of(device: Device, calibration: Calibration) -> Scale:
    """The scale of `device`: its own where a meter has told it, that of its kind where nobody has."""
    return Scale(device.id if calibration.source else device.kind, calibration)


def part_error(part: PartAccount, scale: Scale, edge_uj: float = 0.0) -> Error:
    """The error of what a process or a run used; `edge_uj` is the standard error of its first and last moment.

    The offset is not in it: the idle level that was taken away was read from the same sensor.
    """
    own_uj2 = part.variance_uj2 + part.systematic_uj**2 + edge_uj**2
    return Error(own_uj2, {scale: Exposure(read_uj(scale.calibration, part.energy_uj, 0.0))})


def whole_error(energy_uj: int, span_s: float, scale: Scale, edge_uj: float) -> Error:
    """The error of all that a device used over `span_s`: its edges, the gain and the offset."""
    return Error(edge_uj**2, {scale: Exposure(read_uj(scale.calibration, energy_uj, span_s), span_s)})
