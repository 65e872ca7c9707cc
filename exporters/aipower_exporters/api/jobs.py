"""Who uses the node, by job."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter

from msgspec import Struct

from aipower.model import SUMMED_KINDS, JobEnergy, JobKey, ProcessInfo, Snapshot
from aipower.site.history import Part, Window
from aipower_exporters.api.documents.jobs import Job, JobDevice, Jobs
from aipower_exporters.api.documents.units import SCHEMA
from aipower_exporters.api.encoding import with_rows
from aipower_exporters.api.errors import energy_half_j
from aipower_exporters.api.lines import Line, Lines, head_of, rows_of
from aipower_exporters.api.numbers import certain, combined, earliest, joules, unix_s, watts
from aipower_exporters.api.view import Key, View, key_of, part_w, spending


class Draw(Struct, frozen=True, gc=False):
    """What a job draws now."""

    power_w: float
    half_w: float | None
    """Half-width of the 95 % interval; None where the scale of a sensor is not known."""


NOTHING = Draw(0.0, 0.0)


class Known(Struct, frozen=True, gc=False):
    """What is known of a job."""

    rows: Sequence[JobEnergy]
    """What it used of the devices in the total."""
    processes: int
    """Those of its processes that have accounts and have not ended."""
    parts: Mapping[str, Sequence[Part]]
    """What its processes draw, by device."""

    def objects(self) -> Sequence[object]:
        """All of it, the very same ones while nothing changes."""
        return (*self.rows, self.processes, *chain.from_iterable(self.parts.values()))


def jobs_document(view: View, lines: Lines[JobKey]) -> bytes:
    """All jobs, those that draw most first. `lines` keeps what does not change until the next document."""
    total_w, snapshot = view.total_w(), view.snapshot
    known = _known(view)
    setting = total_w is None, view.scopes
    found = lines.of(
        setting,
        {key: of_one.objects() for key, of_one in known.items()},
        lambda key: _line(key, known[key], None if total_w is None else _draw(key, known[key], view), view.scopes),
    )
    found.sort(key=attrgetter("by_power"))
    document = Jobs(SCHEMA, snapshot.number, unix_s(snapshot.at_unix_s) or 0.0, [])
    return with_rows(document, "jobs", rows_of(found, total_w, view.total_uj()))


def _known(view: View) -> Mapping[JobKey, Known]:
    crews, spent = _crews(view.snapshot), spending(view.summed_windows)
    return {key: _of_one(rows, crews.get(key, {}), spent) for key, rows in _rows(view.snapshot).items()}


def _of_one(rows: list[JobEnergy], crew: Mapping[Key, bool], spent: Mapping[Key, Mapping[str, Part]]) -> Known:
    parts: dict[str, list[Part]] = {}
    for process in crew:
        if process in spent:
            for device, part in spent[process].items():
                parts.setdefault(device, []).append(part)
    return Known(rows, sum(crew.values()), parts)


def _rows(snapshot: Snapshot) -> dict[JobKey, list[JobEnergy]]:
    """What each job used of the devices in the total."""
    found: dict[JobKey, list[JobEnergy]] = {}
    last: JobEnergy | None = None
    of_one: list[JobEnergy] = []
    for row in snapshot.jobs:
        if row.device.kind not in SUMMED_KINDS:
            continue
        # Rows of one job stand together; a key takes long to look up.
        if last is None or row.owner is not last.owner or row.user is not last.user:
            last, of_one = row, found.setdefault((row.owner, row.user), [])
        of_one.append(row)
    return found


def _crews(snapshot: Snapshot) -> dict[JobKey, dict[Key, bool]]:
    """The processes of each job that have accounts, and whether they go on."""
    found: dict[JobKey, dict[Key, bool]] = {}
    last: ProcessInfo | None = None
    for row in snapshot.processes:
        info = row.info
        # Rows of one process stand together.
        if info is None or info is last:
            continue
        last, crew = info, found.setdefault((info.place.owner, info.user), {})
        key = key_of(info.id)
        crew[key] = crew.get(key, False) or row.ended_s is None
    return found


def _draw(key: JobKey, known: Known, view: View) -> Draw:
    """What the processes of the job draw together."""
    if not known.parts:
        return NOTHING
    powers_w = {device: sum([part_w(part) for part in of_one]) for device, of_one in known.parts.items()}
    own_w2 = sum([_own_half_w(key, view.windows[device], of_one) ** 2 for device, of_one in known.parts.items()])
    # An offset cancels in a part: the idle level that was taken away was read from the same sensor.
    scales = [(device, view.scales.energy_half_j(device, power_w, 0.0)) for device, power_w in powers_w.items()]
    scale_w = combined([(view.scopes.get(device, device), half_w or 0.0) for device, half_w in scales])
    sure = all(half_w is not None for _, half_w in scales)
    return Draw(sum(powers_w.values()), math.hypot(math.sqrt(own_w2), scale_w) if sure else None)


def _own_half_w(key: JobKey, window: Window, parts: Sequence[Part]) -> float:
    """Beside the scale; where nobody has told it, as if all processes were off in the same direction."""
    told_w = window.job_half_w.get(key)
    return sum([part.half_w for part in parts]) if told_w is None else told_w


def _line(key: JobKey, known: Known, draw: Draw | None, scopes: Mapping[str, str]) -> Line:
    power_w, energy_uj = None if draw is None else draw.power_w, sum([row.energy_uj for row in known.rows])
    job = _job(key, known, draw, energy_uj, scopes)
    # Those whose power is not known come last.
    less_w, less_uj = math.inf if job.power_w is None else -job.power_w, -energy_uj
    names = job.system, job.job, job.step, job.user
    return Line(head_of(job), power_w, energy_uj, (less_w, less_uj, *names), (less_uj, less_w, *names))


def _job(key: JobKey, known: Known, draw: Draw | None, energy_uj: int, scopes: Mapping[str, str]) -> Job:
    owner, user = key
    rows, facts = known.rows, known.rows[0].facts
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
        processes=known.processes,
        power_w=None if draw is None else watts(draw.power_w),
        power_half_w=None if draw is None else watts(draw.half_w),
        energy_j=joules(energy_uj),
        energy_half_j=energy_half_j(rows, len({row.device.kind for row in rows}), scopes),
        held_s=certain(sum([row.held_s for row in rows]), 3),
        unused_s=certain(sum([row.unused_s for row in rows]), 3),
        since_unix_s=unix_s(earliest([row.since_unix_s for row in rows])),
        ended=all(row.ended_s is not None for row in rows),
        devices=[JobDevice(row.device.id, joules(row.energy_uj)) for row in rows],
        share=None,
        energy_share=None,
    )
