"""What jobs have used, as it is told over the socket: to root and the agent's own user all, to others their own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from aipower.daemon.runs.protocol import DeviceTold, Jobs, JobsTold, JobTold, PartTold
from aipower.model import DeviceState, JobEnergy, Snapshot

SIMULATED = "simulated"
"""What simulated sensors call their driver."""


def jobs_told(snapshot: Snapshot, wanted: Jobs, user: str | None) -> JobsTold:
    """The jobs of `snapshot` that are `wanted`.

    Args:
        snapshot: The newest.
        wanted: Which system and which job.
        user: Only jobs of this user, as users are shown; None for the jobs of all. Nobody is called "".
    """
    rows = [row for row in snapshot.jobs if _is_wanted(row, wanted) and (user is None or user == row.user != "")]
    return JobsTold(
        True,
        snapshot.at_unix_s,
        os.uname().nodename,
        snapshot.boot,
        snapshot.version,
        snapshot.since_unix_s,
        [_device(state) for state in snapshot.devices],
        list(_jobs(rows)),
    )


def _is_wanted(row: JobEnergy, wanted: Jobs) -> bool:
    return wanted.system in {"", row.owner.system} and wanted.job in {"", row.owner.job}


def _device(state: DeviceState) -> DeviceTold:
    device, facts = state.device, state.facts
    return DeviceTold(device.id, device.kind, device.index, facts.method, facts.driver == SIMULATED)


def _jobs(rows: Iterable[JobEnergy]) -> Iterator[JobTold]:
    """One for each step and user, with its devices together."""
    accounts: dict[tuple[object, str], list[JobEnergy]] = {}
    for row in rows:
        accounts.setdefault((row.owner, row.user), []).append(row)
    return (_job(account) for account in accounts.values())


def _job(rows: list[JobEnergy]) -> JobTold:
    first = rows[0]
    owner, facts = first.owner, first.facts
    return JobTold(
        owner.system,
        owner.job,
        owner.step,
        first.user,
        facts.name,
        facts.team,
        facts.account,
        facts.partition,
        facts.namespace,
        facts.pod,
        list(facts.gpus),
        first.since_unix_s,
        first.ended_s is not None,
        [_part(row) for row in rows],
    )


def _part(row: JobEnergy) -> PartTold:
    variance_uj2 = row.error.variance_uj2
    return PartTold(row.device.id, row.energy_uj, row.error_uj, variance_uj2, row.held_s, row.unused_s)
