"""How far a sensor that nobody has calibrated may be off."""

from __future__ import annotations

from aipower.calibration.entry import Z_95
from aipower.model import Calibration, Kind

GAIN_95 = 0.05
GPU_OFFSET_95_W = 12.0
"""95 % half-widths, from the 16 cards that Yang, Adamek and Armour (SC'24) held against a meter: gains from 0.91 to
1.06 and offsets from -23 to +16 W but for one card of 2014 (docs/calibration.md)."""


def default_calibration(kind: Kind) -> Calibration:
    """The scale of a device without a calibration: as it reads, with the usual errors."""
    offset_se_w = GPU_OFFSET_95_W / Z_95 if kind == "gpu" else 0.0
    return Calibration(gain_se=GAIN_95 / Z_95, offset_se_w=offset_se_w)


def default_words(kind: Kind) -> str:
    """For people: `±5 % ±12 W`."""
    return f"±{100 * GAIN_95:g} %" + (f" ±{GPU_OFFSET_95_W:g} W" if kind == "gpu" else "")
