"""Sums over devices by kind, and over records of what they give by kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aipower.merge.devices import Account
from aipower.merge.spread import Spread, taken_apart, within
from aipower.model import SUMMED_KINDS
from aipower.runrecord import Energies, Interval, Intervals

KINDS: Mapping[str, Sequence[str]] = {"total": SUMMED_KINDS, **{kind: (kind,) for kind in SUMMED_KINDS}}
"""The kinds of device in each field of `Energies`."""

Sums = tuple[Energies, Intervals, Intervals]
"""Energies, their intervals, and those without the scale of the sensors."""


def of_devices(accounts: Iterable[Account]) -> Sums:
    """The run's own parts of all devices where somebody knows them."""
    known = [(account.record.kind, account.part, account.whole) for account in accounts if account.part is not None]
    energies_j: dict[str, float] = {}
    absolutes_j: dict[str, Interval] = {}
    repeatables_j: dict[str, Interval] = {}
    for name, kinds in KINDS.items():
        parts = [(part, whole) for kind, part, whole in known if kind in kinds]
        if parts:
            own, all_ = _apart(part for part, _ in parts), _apart(whole for _, whole in parts)
            energies_j[name] = own.energy_j
            absolutes_j[name] = within(own.absolute_j, all_.absolute_j)
            repeatables_j[name] = within(own.repeatable_j, all_.repeatable_j)
    return Energies(**energies_j), Intervals(**absolutes_j), Intervals(**repeatables_j)


def of_parts(parts: Sequence[Sums]) -> Sums:
    """What several records say by kind, added up; their errors as of one device, as they may be."""
    energies_j: dict[str, float] = {}
    absolutes_j: dict[str, Interval] = {}
    repeatables_j: dict[str, Interval] = {}
    for name in KINDS:
        known = [spread for part in parts if (spread := _spread(part, name)) is not None]
        if known:
            total = Spread()
            for spread in known:
                total = total.beside(spread)
            energies_j[name], absolutes_j[name], repeatables_j[name] = (
                total.energy_j,
                total.absolute_j,
                total.repeatable_j,
            )
    return Energies(**energies_j), Intervals(**absolutes_j), Intervals(**repeatables_j)


def bounds(parts: Sequence[tuple[Energies, Intervals]]) -> tuple[Energies, Intervals]:
    """Estimates of a model, added up: it errs in one direction everywhere, so both ends of the intervals add up."""
    energies_j: dict[str, float] = {}
    intervals_j: dict[str, Interval] = {}
    for name in KINDS:
        known = [(float(e), getattr(i, name)) for energies, i in parts if (e := getattr(energies, name)) is not None]
        if known:
            energies_j[name] = sum(energy_j for energy_j, _ in known)
            spans = [span or (energy_j, energy_j) for energy_j, span in known]
            intervals_j[name] = sum(low_j for low_j, _ in spans), sum(high_j for _, high_j in spans)
    return Energies(**energies_j), Intervals(**intervals_j)


def _apart(spreads: Iterable[Spread]) -> Spread:
    total = Spread()
    for spread in spreads:
        total = total.apart_from(spread)
    return total


def _spread(part: Sums, name: str) -> Spread | None:
    energies_j, absolutes_j, repeatables_j = part
    energy_j = getattr(energies_j, name)
    if energy_j is None:
        return None
    return taken_apart(energy_j, getattr(absolutes_j, name), getattr(repeatables_j, name), name)
