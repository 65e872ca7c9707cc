"""Who uses the node, by job."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from aipower.model import SUMMED_KINDS, JobEnergy, JobKey, ProcessInfo, Snapshot
from aipower.site.history import Part
from aipower_exporters.api.documents.jobs import Job, JobDevice, Jobs
from aipower_exporters.api.documents.units import SCHEMA
from aipower_exporters.api.errors import energy_half_j
from aipower_exporters.api.numbers import certain, earliest, joules, share, unix_s, watts
from aipower_exporters.api.view import Key, View, key_of, part_w, spending


@dataclass(slots=True)
class Crew:
    """The processes of a job that have accounts."""

    going: set[Key] = field(default_factory=set)
    all: set[Key] = field(default_factory=set)


def jobs_document(view: View) -> Jobs:
    """All jobs, those that draw most first."""
    crews, spent, rows = _crews(view.snapshot), spending(view.summed_windows()), _rows(view.snapshot)
    total_w, total_uj = view.total_w(), view.total_uj()
    found = []
    for key, of_one in rows.items():
        crew = crews.get(key, Crew())
        power_w = None if total_w is None else _power_w(crew, spent)
        found.append(_job(key, of_one, len(crew.going), power_w, (total_w, total_uj), view.scopes))
    found.sort(key=_by_power)
    return Jobs(SCHEMA, view.snapshot.number, unix_s(view.snapshot.at_unix_s) or 0.0, found)


def _rows(snapshot: Snapshot) -> dict[JobKey, list[JobEnergy]]:
    """What each job used of the devices in the total."""
    found: dict[JobKey, list[JobEnergy]] = {}
    for row in snapshot.jobs:
        if row.device.kind in SUMMED_KINDS:
            found.setdefault((row.owner, row.user), []).append(row)
    return found


def _crews(snapshot: Snapshot) -> dict[JobKey, Crew]:
    found: dict[JobKey, Crew] = {}
    last: ProcessInfo | None = None
    for row in snapshot.processes:
        info = row.info
        # Rows of one process stand together.
        if info is None or info is last:
            continue
        last, key = info, key_of(info.id)
        crew = found.setdefault((info.place.owner, info.user), Crew())
        crew.all.add(key)
        if row.ended_s is None:
            crew.going.add(key)
    return found


def _power_w(crew: Crew, spent: Mapping[Key, Mapping[str, Part]]) -> float:
    return sum(part_w(part) for process in crew.all for part in spent.get(process, {}).values())


def _job(
    key: JobKey,
    rows: list[JobEnergy],
    processes: int,
    power_w: float | None,
    total: tuple[float | None, int],
    scopes: Mapping[str, str],
) -> Job:
    owner, user = key
    facts, energy_uj = rows[0].facts, sum(row.energy_uj for row in rows)
    return Job(
        system=owner.system,
        job=owner.job,
        step=owner.step,
        user=user,
        name=facts.name,
        team=facts.team,
        account=facts.account,
        partition=facts.partition,
        namespace=facts.namespace,
        pod=facts.pod,
        processes=processes,
        power_w=watts(power_w),
        share=share(power_w, total[0]),
        energy_j=joules(energy_uj),
        energy_half_j=energy_half_j(rows, len({row.device.kind for row in rows}), scopes),
        energy_share=share(energy_uj, total[1]),
        held_s=certain(sum(row.held_s for row in rows), 3),
        unused_s=certain(sum(row.unused_s for row in rows), 3),
        since_unix_s=unix_s(earliest([row.since_unix_s for row in rows])),
        ended=all(row.ended_s is not None for row in rows),
        devices=[JobDevice(row.device.id, joules(row.energy_uj)) for row in rows],
    )


def _by_power(job: Job) -> tuple[float, float, str, str, str, str]:
    """Those whose power is not known come last."""
    power_w = math.inf if job.power_w is None else -job.power_w
    return power_w, -job.energy_j, job.system, job.job, job.step, job.user
