"""The accounts of jobs in a slot, there and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from aipower.journal.numbers import finite
from aipower.journal.rows import HoldRow, JobRow, PartRow
from aipower.journal.text import pack, unpack
from aipower.model import Device, JobEnergy, JobFacts, JobKey, Owner, PartError

WORDS = 6
"""Of a job's facts: name, team, account, partition, namespace and pod."""


def job_rows(jobs: Iterable[JobEnergy], places: Mapping[str, int]) -> list[JobRow]:
    """A row for each job; `places` has the place of each device, by its id."""
    rows: dict[JobKey, JobRow] = {}
    for job in jobs:
        row = rows.setdefault((job.owner, job.user), _empty(job))
        place, error = places[job.device.id], job.error
        row.parts.append(PartRow(place, job.energy_uj, 0, finite(error.variance_uj2), finite(error.systematic_uj)))
        if job.held_s:
            row.holds.append(HoldRow(place, finite(job.held_s), finite(job.unused_s)))
    return list(rows.values())


def jobs_of(row: JobRow, devices: Sequence[Device]) -> Iterator[JobEnergy]:
    """The energy of each device that a row tells of; half-widths of intervals are 0."""
    owner, user, facts = Owner(unpack(row.system), unpack(row.job), unpack(row.step)), unpack(row.user), _facts(row)
    holds = {hold.device: (hold.held_s, hold.unused_s) for hold in row.holds}
    for part in row.parts:
        yield JobEnergy(
            owner,
            user,
            devices[part.device],
            part.context_uj + part.active_uj,
            0.0,
            *holds.get(part.device, (0.0, 0.0)),
            facts,
            row.ended_s,
            PartError(part.variance_uj2, part.systematic_uj),
            row.since_unix_s,
        )


def _empty(job: JobEnergy) -> JobRow:
    owner, facts = job.owner, job.facts
    words = [facts.name, facts.team, facts.account, facts.partition, facts.namespace, facts.pod]
    return JobRow(
        pack(owner.system),
        [],
        pack(owner.job),
        pack(owner.step),
        pack(job.user),
        [],
        [pack(word) for word in words] if any(words) else [],
        [pack(gpu) for gpu in facts.gpus],
        job.ended_s,
        job.since_unix_s,
    )


def _facts(row: JobRow) -> JobFacts:
    words = [unpack(word) for word in row.words[:WORDS]]
    words += [""] * (WORDS - len(words))
    name, team, account, partition, namespace, pod = words
    return JobFacts(name, team, account, partition, namespace, pod, tuple(unpack(gpu) for gpu in row.gpus))
