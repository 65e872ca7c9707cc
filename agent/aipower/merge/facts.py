"""What a merged run says beside its energies: metrics, energy per unit, carbon, cost, its job."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from aipower.footprint.equivalents import KWH_J, equivalents
from aipower.runrecord import CarbonRecord, CostRecord, Interval, JobRecord, PerUnit, RunRecord


def by_rank(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Rank 0 first, those without a rank last."""
    return sorted(records, key=lambda record: (_rank(record), record.started_unix_s, record.run_id))


def _rank(record: RunRecord) -> float:
    return record.job.rank if record.job and record.job.rank is not None else math.inf


def metrics(records: Iterable[RunRecord]) -> dict[str, float]:
    """Figures of merit are the job's, not a rank's: each is that of the lowest rank that has it."""
    found: dict[str, float] = {}
    for record in by_rank(records):
        for name, value in record.metrics.items():
            found.setdefault(name, value)
    return dict(sorted(found.items()))


def with_figures(run: RunRecord, records: Sequence[RunRecord]) -> RunRecord:
    """`run` with what follows from its energy and its work, on the terms that all `records` have in common."""
    energy_j, interval_j = run.energy_j.total, run.interval_j.total
    if energy_j is None or interval_j is None:
        return run
    carbon = _carbon(records, energy_j, interval_j)
    return replace(
        run,
        per=_per_unit(run.work, energy_j, interval_j, run.repeatable_interval_j.total or interval_j),
        carbon=carbon,
        cost=_cost(records, energy_j, interval_j),
        equivalents=equivalents(energy_j, carbon.co2e_g if carbon else None),
    )


def _per_unit(work: dict[str, float], energy_j: float, interval_j: Interval, repeatable_j: Interval) -> list[PerUnit]:
    return [
        PerUnit(unit, amount, energy_j / amount, _times(interval_j, 1 / amount), _times(repeatable_j, 1 / amount))
        for unit, amount in work.items()
        if amount > 0
    ]


def _times(span: Interval, factor: float) -> Interval:
    return span[0] * factor, span[1] * factor


def _carbon(records: Sequence[RunRecord], energy_j: float, interval_j: Interval) -> CarbonRecord | None:
    found = [replace(one.carbon, co2e_g=0.0, interval_g=(0.0, 0.0)) if one.carbon else None for one in records]
    first = found[0]
    if first is None or any(one != first for one in found):
        return None
    g_per_j = first.intensity_g_per_kwh * first.pue / KWH_J
    return replace(first, co2e_g=energy_j * g_per_j, interval_g=_times(interval_j, g_per_j))


def _cost(records: Sequence[RunRecord], energy_j: float, interval_j: Interval) -> CostRecord | None:
    found = [replace(one.cost, amount=0.0, interval=(0.0, 0.0)) if one.cost else None for one in records]
    first = found[0]
    if first is None or any(one != first for one in found):
        return None
    per_j = first.price_per_kwh * first.pue / KWH_J
    return replace(first, amount=energy_j * per_j, interval=_times(interval_j, per_j))


def merged_job(jobs: Sequence[JobRecord | None], nodes: Sequence[str]) -> JobRecord | None:
    """What the parts' jobs have in common; None where one has none, or they are of several jobs."""
    known = [job for job in jobs if job is not None]
    if len(known) < len(jobs) or len({(job.system, job.id) for job in known}) != 1:
        return None
    steps, sizes = {job.step for job in known}, [job.ranks for job in known if job.ranks is not None]
    common = set.intersection(*(set(job.variables.items()) for job in known))
    return JobRecord(
        system=known[0].system,
        id=known[0].id,
        node=nodes[0] if len(nodes) == 1 else "",
        step=steps.pop() if len(steps) == 1 else "",
        rank=known[0].rank if len(known) == 1 else None,
        local_rank=known[0].local_rank if len(known) == 1 else None,
        ranks=max(sizes, default=None),
        variables=dict(sorted(common)),
    )
