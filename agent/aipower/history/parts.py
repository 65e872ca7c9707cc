"""Sums of one device over a stretch of time, while they are being made."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct, field

from aipower.model import Attribution, PartError, ProcessId

NO_ERROR = PartError()
J2_PER_UJ2 = 1e-12


class PartSums(Struct):
    """What one process used of one device, and how far that may be off beside the sensor's scale."""

    energy_j: float = 0.0
    variance_j2: float = 0.0
    systematic_j: float = 0.0
    """Signed: errors that windows share add up linearly."""

    def add(self, other: PartSums, share: float) -> None:
        """Take in `share` of another one."""
        self.energy_j += share * other.energy_j
        self.variance_j2 += share * other.variance_j2
        self.systematic_j += share * other.systematic_j


class Sums(Struct):
    """Energy of one device in joules from `start_s` on."""

    start_s: float
    covered_s: float = 0.0
    """For how long it is known."""
    idle_j: float = 0.0
    context_j: float = 0.0
    active_j: float = 0.0
    unattributed_j: float = 0.0
    parts: dict[ProcessId, PartSums] = field(default_factory=dict)

    def add(self, other: Sums, share: float, most_parts: int) -> None:
        """Take in `share` of another one. Processes beyond `most_parts` are told by what the others leave over.

        All errors go by share, not its square: put together again the pieces have the errors of the whole.
        """
        self.covered_s += share * other.covered_s
        self.idle_j += share * other.idle_j
        self.context_j += share * other.context_j
        self.active_j += share * other.active_j
        self.unattributed_j += share * other.unattributed_j
        mine = self.parts
        for process, part in other.parts.items():
            own = mine.get(process)
            if own is not None:
                own.add(part, share)
            elif len(mine) < most_parts:
                mine[process] = PartSums(
                    share * part.energy_j, share * part.variance_j2, share * part.systematic_j
                )  # fmt: skip


def sums_of(attribution: Attribution, start_s: float, span_s: float) -> Sums:
    """All that a window tells, as if it began at `start_s`."""
    return Sums(
        start_s,
        span_s,
        attribution.idle_uj / 1e6,
        sum(attribution.context_uj.values()) / 1e6,
        sum(attribution.active_uj.values()) / 1e6,
        attribution.unattributed_uj / 1e6,
        _parts(attribution.context_uj, attribution.active_uj, attribution.errors),
    )


def _parts(
    context_uj: Mapping[ProcessId, int], active_uj: Mapping[ProcessId, int], errors: Mapping[ProcessId, PartError]
) -> dict[ProcessId, PartSums]:
    parts = {process: PartSums(uj / 1e6) for process, uj in active_uj.items()}
    for process, uj in context_uj.items():
        part = parts.get(process)
        if part is None:
            parts[process] = PartSums(uj / 1e6)
        else:
            part.energy_j += uj / 1e6
    for process, error in errors.items():
        part = parts.get(process)
        if part is not None and math.isfinite(error.variance_uj2) and math.isfinite(error.systematic_uj):
            part.variance_j2, part.systematic_j = error.variance_uj2 * J2_PER_UJ2, error.systematic_uj / 1e6
    return parts
