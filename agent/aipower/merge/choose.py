"""Which records are merged: each run once, of one job only, and no simulation among measurements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aipower.errors import AipowerError
from aipower.runrecord import JobRecord, RunRecord

SHOWN = 4
"""Jobs that a message names."""


def distinct(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Each run once, by id; a merged record counts as its parts, and gives way to them where all are there.

    Raises:
        AipowerError: Two merged records have some of their parts in common, which cannot be taken out of either.
    """
    by_id = {record.run_id: record for record in records}
    single = {run_id for run_id, record in by_id.items() if not record.merged_from}
    merged = [record for record in by_id.values() if record.merged_from and not single.issuperset(record.merged_from)]
    merged = [one for one in merged if not any(_is_part_of(one, other) for other in merged)]
    taken: set[str] = set()
    for record in merged:
        if not taken.isdisjoint(record.merged_from):
            raise AipowerError(f"run {record.run_id} shares parts with another merged run: merge their parts instead")
        taken.update(record.merged_from)
    kept = [*merged, *(by_id[run_id] for run_id in single - taken)]
    return sorted(kept, key=lambda record: record.run_id)


def _is_part_of(one: RunRecord, other: RunRecord) -> bool:
    """True where the other says all that `one` says, and more, or the same under a lower id."""
    ours, theirs = set(one.merged_from), set(other.merged_from)
    return ours < theirs or (ours == theirs and other.run_id < one.run_id)


def check_alike(records: Sequence[RunRecord]) -> None:
    """See that there is something to merge, and that all or none of it is simulated.

    Raises:
        AipowerError: There is nothing, or both.
    """
    if not records:
        raise AipowerError("there is no record to merge; name files, runs or a folder, see aipower merge --help")
    if len({record.simulated for record in records}) > 1:
        simulated = next(record.run_id for record in records if record.simulated)
        raise AipowerError(
            f"run {simulated} is simulated and others are measured: such figures have no sum; leave it out"
        )


def of_job(records: Iterable[RunRecord], wanted: str) -> list[RunRecord]:
    """The records of the job `wanted`: its id, or `ID.STEP` for one step of it."""
    return [record for record in records if is_of(record.job, wanted)]


def is_of(job: JobRecord | None, wanted: str) -> bool:
    """True where `wanted` is the job's id, or `ID.STEP`; a job without an id cannot be asked for."""
    return job is not None and bool(job.id) and wanted in {job.id, f"{job.id}.{job.step}"}


def check_one_job(records: Sequence[RunRecord]) -> None:
    """See that all records are of one job, which they must name themselves.

    Raises:
        AipowerError: They are of several, or some tell no job; the one line says what to type.
    """
    if len(records) <= 1:
        return
    jobs = sorted({(record.job.system, record.job.id) if record.job else ("", "") for record in records})
    names = [job_id or system or "no job" for system, job_id in jobs]
    if len(jobs) > 1:
        shown = ", ".join(names[:SHOWN]) + (" and others" if len(names) > SHOWN else "")
        raise AipowerError(
            f"the records are of {len(jobs)} jobs ({shown}): choose one by --job ID, or merge all by --force"
        )
    if not jobs[0][1]:
        raise AipowerError(
            f"the {len(records)} records do not tell of which job they are: if it is the same, say --force"
        )
