"""Half-widths of energies of several devices together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aipower.model import UJ_PER_J, Device, JobEnergy, PartError, ProcessEnergy, RunEnergy
from aipower.site.sources import Scales
from aipower_exporters.api.numbers import Z_95, combined, half_joules

Scopes = Mapping[str, str]


def energy_half_j(rows: Sequence[ProcessEnergy] | Sequence[JobEnergy], kinds: int, scopes: Scopes) -> float:
    """Half-width of the 95 % interval of the sum of `rows`, which are of different devices of so many kinds."""
    if kinds == len(rows):
        # Nothing is shared between kinds.
        return half_joules(math.sqrt(sum([row.error_uj * row.error_uj for row in rows])))
    own_uj2 = Z_95**2 * sum([_own_uj2(row.error) for row in rows])
    scale_uj = combined([(scope_of(row.device, scopes), _scale_uj(row)) for row in rows])
    return half_joules(math.sqrt(own_uj2 + scale_uj * scale_uj))


def with_scale_half_j(rows: Sequence[RunEnergy], scales: Scales, scopes: Scopes) -> float | None:
    """The same of rows that do not tell what the scales of their sensors add; None where a scale is not known."""
    halves = []
    for row in rows:
        # An offset cancels in a part: the idle level that was taken away was read from the same sensor.
        half_j = scales.energy_half_j(row.device.id, row.energy_uj / UJ_PER_J, 0.0)
        if half_j is None:
            return None
        halves.append((scope_of(row.device, scopes), half_j))
    own_j2 = Z_95**2 * sum(_own_uj2(row.error) for row in rows) / UJ_PER_J**2
    return math.sqrt(own_j2 + combined(halves) ** 2)


def scope_of(device: Device, scopes: Scopes) -> str:
    """That of its kind where the device has left the snapshot."""
    return scopes.get(device.id, device.kind)


def _own_uj2(error: PartError) -> float:
    """Variance of all but the scale of the sensor."""
    return error.variance_uj2 + error.systematic_uj * error.systematic_uj


def _scale_uj(row: ProcessEnergy | JobEnergy) -> float:
    """What the scale of the sensor adds: the rest of what is told."""
    return math.sqrt(max(0.0, row.error_uj * row.error_uj - Z_95**2 * _own_uj2(row.error)))
