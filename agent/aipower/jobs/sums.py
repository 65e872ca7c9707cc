"""Sums over devices, steps, users and nodes, and how far they may be off.

What is independent adds in squares. The rest of the errors, that of sensors' scales above all, may be the same in all
devices of a kind: it adds up linearly within a kind, and kinds add in squares.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from aipower.jobs.document import DeviceUse
from aipower.model import SUMMED_KINDS, UJ_PER_J, Kind
from aipower.runrecord import Energies, Interval, Intervals


class Sum(Struct, frozen=True):
    """What was used in all."""

    energy_j: Energies
    interval_j: Intervals
    half_width_j: float
    """Of the 95 % interval of the total."""
    held_s: float
    unused_s: float


class _Amount(Struct, frozen=True):
    """An energy in whole microjoules, so that sums are exact, and the squares of its errors' half-widths."""

    energy_uj: int
    independent_j2: float
    shared_j2: float

    @property
    def half_width_j(self) -> float:
        return math.sqrt(self.independent_j2 + self.shared_j2)


def summed(uses: Sequence[DeviceUse], measured: Collection[Kind]) -> Sum:
    """The sum of `uses`; of the kinds that are `measured`, those of which nothing was used are 0."""
    kinds = {kind: _amount([use for use in uses if use.kind == kind]) for kind in SUMMED_KINDS if kind in measured}
    total = _total(kinds.values()) if kinds else None
    gpus = [use for use in uses if use.kind == "gpu"]
    return Sum(
        Energies(_joules(total), *(_joules(kinds.get(kind)) for kind in SUMMED_KINDS)),
        Intervals(_interval(total), *(_interval(kinds.get(kind)) for kind in SUMMED_KINDS)),
        total.half_width_j if total else 0.0,
        sum((use.held_s for use in gpus), 0.0),
        sum((use.unused_s for use in gpus), 0.0),
    )


def methods_of(uses: Iterable[DeviceUse]) -> Sequence[str]:
    """How the energies of the kinds that are summed were found, each method once."""
    return sorted({use.method for use in uses if use.kind in SUMMED_KINDS})


def shared_j(half_width_j: float, independent_j: float) -> float:
    """What is left of a half-width without its independent part."""
    return math.sqrt(max(0.0, half_width_j**2 - independent_j**2))


def _amount(uses: Sequence[DeviceUse]) -> _Amount:
    return _Amount(
        sum(round(use.energy_j * UJ_PER_J) for use in uses),
        sum(use.independent_j**2 for use in uses),
        sum(shared_j(use.half_width_j, use.independent_j) for use in uses) ** 2,
    )


def _total(amounts: Iterable[_Amount]) -> _Amount:
    parts = list(amounts)
    return _Amount(
        sum(part.energy_uj for part in parts),
        sum(part.independent_j2 for part in parts),
        sum(part.shared_j2 for part in parts),
    )


def _joules(amount: _Amount | None) -> float | None:
    return None if amount is None else amount.energy_uj / UJ_PER_J


def _interval(amount: _Amount | None) -> Interval | None:
    if amount is None:
        return None
    energy_j, half_j = amount.energy_uj / UJ_PER_J, amount.half_width_j
    return max(0.0, energy_j - half_j), energy_j + half_j
