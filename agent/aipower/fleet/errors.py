"""How far energies may be off that a cluster's metrics tell: what is exported of it, and what no sensor can know.

An account of a job has one half-width, scale and all. How far the scale of a sensor may be off that nobody has
calibrated is known (docs/calibration.md): that part is shared by all sensors of the kind on all nodes, the rest is the
account's own. A calibrated sensor is better than that; which are is not told here, so sums are rather too wide.
"""

from __future__ import annotations

import math

from aipower.calibration.default import GAIN_95, default_calibration
from aipower.calibration.entry import Z_95
from aipower.fleet.growth import Growth
from aipower.merge.spread import Spread
from aipower.model import UJ_PER_J, Kind


def of_account(growth: Growth, half_j: float | None, kind: Kind) -> Spread:
    """Of what an account grew, whose whole energy has the half-width `half_j`; None where that is not told."""
    whole_j = max(growth.last, growth.value)
    lost_j = whole_j - growth.last
    # What was used before the counters began again is in no half-width any more.
    half_j = GAIN_95 * whole_j if half_j is None else half_j + GAIN_95 * lost_j
    share = growth.value / whole_j if whole_j > 0 else 0.0
    scale_j = min(half_j, GAIN_95 * whole_j)
    own_j = math.sqrt(max(0.0, half_j**2 - scale_j**2))
    # Errors from window to window grow with the root of the energy, those of the scale with the energy.
    return Spread(growth.value, own_j * math.sqrt(share), scales_j={kind: scale_j * share})


def of_device(energy_j: float, span_s: float, kind: Kind, less_j: float = 0.0, more_j: float = 0.0) -> Spread:
    """Of a whole device over a span: the gain and the offset of its sensor, and what its edges may add or take."""
    scale_j = Z_95 * default_calibration(kind).error_uj(energy_j * UJ_PER_J, span_s) / UJ_PER_J
    return Spread(energy_j, 0.0, less_j, more_j, {kind: scale_j})
