"""Who uses the node, by job."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from aipower.model import SUMMED_KINDS, JobEnergy, JobKey, ProcessInfo, Snapshot
from aipower.site.history import Part, Window
from aipower_exporters.api.documents.jobs import Job, JobDevice, Jobs
from aipower_exporters.api.documents.units import SCHEMA
from aipower_exporters.api.errors import energy_half_j
from aipower_exporters.api.numbers import certain, combined, earliest, joules, share, unix_s, watts
from aipower_exporters.api.view import Key, View, key_of, part_w, spending


@dataclass(slots=True)
class Crew:
    """The processes of a job that have accounts."""

    going: set[Key] = field(default_factory=set)
    all: set[Key] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Draw:
    """What a job draws now."""

    power_w: float
    half_w: float | None
    """Half-width of the 95 % interval; None where the scale of a sensor is not known."""


def jobs_document(view: View) -> Jobs:
    """All jobs, those that draw most first."""
    crews, spent, rows = _crews(view.snapshot), spending(view.summed_windows()), _rows(view.snapshot)
    total_w, total_uj = view.total_w(), view.total_uj()
    found = []
    for key, of_one in rows.items():
        crew = crews.get(key, Crew())
        draw = None if total_w is None else _draw(key, crew, spent, view)
        found.append(_job(key, of_one, len(crew.going), draw, (total_w, total_uj), view.scopes))
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


def _draw(key: JobKey, crew: Crew, spent: Mapping[Key, Mapping[str, Part]], view: View) -> Draw:
    """What the processes of the job draw together."""
    parts: dict[str, list[Part]] = {}
    for process in crew.all:
        for device, part in spent.get(process, {}).items():
            parts.setdefault(device, []).append(part)
    powers_w = {device: sum(map(part_w, of_one)) for device, of_one in parts.items()}
    own_w2 = sum(_own_half_w(key, view.windows[device], of_one) ** 2 for device, of_one in parts.items())
    # An offset cancels in a part: the idle level that was taken away was read from the same sensor.
    scales = [(device, view.scales.energy_half_j(device, power_w, 0.0)) for device, power_w in powers_w.items()]
    scale_w = combined((view.scopes.get(device, device), half_w or 0.0) for device, half_w in scales)
    known = all(half_w is not None for _, half_w in scales)
    return Draw(sum(powers_w.values()), math.hypot(math.sqrt(own_w2), scale_w) if known else None)


def _own_half_w(key: JobKey, window: Window, parts: list[Part]) -> float:
    """Beside the scale; where nobody has told it, as if all processes were off in the same direction."""
    told_w = window.job_half_w.get(key)
    return sum(part.half_w for part in parts) if told_w is None else told_w


def _job(
    key: JobKey,
    rows: list[JobEnergy],
    processes: int,
    draw: Draw | None,
    total: tuple[float | None, int],
    scopes: Mapping[str, str],
) -> Job:
    owner, user = key
    power_w = None if draw is None else draw.power_w
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
        power_half_w=None if draw is None else watts(draw.half_w),
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
