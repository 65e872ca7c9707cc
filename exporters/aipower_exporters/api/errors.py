"""Half-widths of energies of several devices together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aipower.model import UJ_PER_J, JobEnergy, PartError, ProcessEnergy, RunEnergy
from aipower.site.sources import Scales
from aipower_exporters.api.numbers import Z_95, combined, half_joules
from aipower_exporters.api.scopes import joint_scope


def energy_half_j(rows: Sequence[ProcessEnergy] | Sequence[JobEnergy], kinds: int) -> float:
    """Half-width of the 95 % interval of the sum of `rows`, which are of different devices of so many kinds."""
    if kinds == len(rows):
        # Nothing is shared between kinds.
        return half_joules(math.sqrt(sum([row.error_uj * row.error_uj for row in rows])))
    own_uj2 = Z_95**2 * sum([_own_uj2(row.error) for row in rows])
    scale_uj = combined([(joint_scope(row.device), _scale_uj(row)) for row in rows])
    return half_joules(math.sqrt(own_uj2 + scale_uj * scale_uj))


def with_scale_half_j(rows: Sequence[RunEnergy], scales: Scales) -> float | None:
    """The same of rows that do not tell what the scales of their sensors add; None where a scale is not known."""
    halves = []
    for row in rows:
        # An offset cancels in a part: the idle level that was taken away was read from the same sensor.
        half_j = scales.energy_half_j(row.device.id, row.energy_uj / UJ_PER_J, 0.0)
        if half_j is None:
            return None
        halves.append((joint_scope(row.device), half_j))
    own_j2 = Z_95**2 * sum(_own_uj2(row.error) for row in rows) / UJ_PER_J**2
    return math.sqrt(own_j2 + combined(halves) ** 2)


def _own_uj2(error: PartError) -> float:
    """Variance of all but the scale of the sensor."""
    return error.variance_uj2 + error.systematic_uj * error.systematic_uj


def _scale_uj(row: ProcessEnergy | JobEnergy) -> float:
    """What the scale of the sensor adds: the rest of what is told."""
    return math.sqrt(max(0.0, row.error_uj * row.error_uj - Z_95**2 * _own_uj2(row.error)))
