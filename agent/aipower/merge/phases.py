"""The phases of all ranks by their paths: what many did at once is one phase with the sum of their parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from aipower.merge.spread import taken_apart
from aipower.merge.sums import of_parts
from aipower.merge.views import Naming, View
from aipower.merge.windows import union
from aipower.runrecord import Interval, PhasePart, PhaseRecord

MOST_SPANS = 1000
"""More are joined, those with the shortest gaps first."""


class _Told(Struct, frozen=True):
    """A phase as one record tells it."""

    phase: PhaseRecord
    views: Sequence[View]
    offset_s: float


def merged_phases(views: Iterable[View], started_s: float, naming: Naming) -> list[PhaseRecord]:
    """All phases, in the order of their paths; `started_s` is when the merged run starts, in Unix time."""
    records: dict[str, list[View]] = {}
    for view in views:
        records.setdefault(view.record.run_id, []).append(view)
    told: dict[tuple[str, ...], list[_Told]] = {}
    for of_record in records.values():
        record = of_record[0].record
        for phase in record.phases:
            one = _Told(phase, of_record, record.started_unix_s - started_s)
            told.setdefault(tuple(phase.path), []).append(one)
    return [_merged(told[path], naming) for path in sorted(told)]


def _merged(told: Sequence[_Told], naming: Naming) -> PhaseRecord:
    phases = [one.phase for one in told]
    sums = of_parts([(phase.energy_j, phase.interval_j, phase.repeatable_interval_j) for phase in phases])
    return PhaseRecord(
        path=phases[0].path,
        count=sum(phase.count for phase in phases),
        wall_s=sum(phase.wall_s for phase in phases),
        energy_j=sums[0],
        interval_j=sums[1],
        repeatable_interval_j=sums[2],
        resolved=all(phase.resolved for phase in phases),
        work=added(phase.work for phase in phases),
        spans=_spans(told),
        devices=_devices(told, naming),
    )


def added(amounts: Iterable[dict[str, float]]) -> dict[str, float]:
    """Work by unit, of all."""
    sums: dict[str, float] = {}
    for amount in amounts:
        for unit, done in amount.items():
            sums[unit] = sums.get(unit, 0.0) + done
    return dict(sorted(sums.items()))


def _spans(told: Sequence[_Told]) -> list[Interval]:
    spans = union((start_s + one.offset_s, end_s + one.offset_s) for one in told for start_s, end_s in one.phase.spans)
    if len(spans) <= MOST_SPANS:
        return spans
    gaps_s = sorted(after[0] - before[1] for before, after in pairwise(spans))
    joined_s = gaps_s[len(spans) - MOST_SPANS - 1] / 2
    return [
        (start_s + joined_s, end_s - joined_s)
        for start_s, end_s in union((a - joined_s, b + joined_s) for a, b in spans)
    ]


def _devices(told: Sequence[_Told], naming: Naming) -> list[PhasePart]:
    """A device as the record saw it that saw the most, as ranks are in a phase together; the own parts added up."""
    found: dict[str, list[tuple[PhasePart, str]]] = {}
    for one in told:
        for part in one.phase.devices:
            view = next((view for view in one.views if part.device.startswith(view.prefix)), one.views[0])
            device = naming.device(view.node, part.device.removeprefix(view.prefix))
            kind = next((row.kind for row in view.record.devices if row.device == part.device), "")
            found.setdefault(device, []).append((part, kind))
    return [_device(device, parts) for device, parts in sorted(found.items())]


def _device(device: str, parts: Sequence[tuple[PhasePart, str]]) -> PhasePart:
    whole_j = max(part.energy_j for part, _ in parts)
    own = [
        taken_apart(part.run_energy_j, part.run_interval_j, None, kind)
        for part, kind in parts
        if part.run_energy_j is not None
    ]
    if len(own) < len(parts):
        return PhasePart(device, whole_j, None, None)
    total = own[0]
    for one in own[1:]:
        total = total.beside(one)
    return PhasePart(device, max(whole_j, total.energy_j), total.energy_j, total.absolute_j)
