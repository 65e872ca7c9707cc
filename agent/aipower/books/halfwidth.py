"""The 95 % interval of a part in one step: `uncertainty.part_error` for the many rows of a snapshot."""

from __future__ import annotations

import math

from msgspec import Struct

from aipower.calibration.apply import read_uj
from aipower.calibration.entry import Z_95
from aipower.model import Calibration


class HalfWidth(Struct, frozen=True, gc=False):
    """Works out half-widths by the scale of one sensor."""

    scale: Calibration

    def __call__(self, energy_uj: int, variance_uj2: float, systematic_uj: float) -> float:
        """In microjoules, of a part with these errors beside the scale."""
        scale_uj = self.scale.error_uj(read_uj(self.scale, energy_uj, 0.0), 0.0)
        return Z_95 * math.sqrt(variance_uj2 + systematic_uj**2 + scale_uj**2)
