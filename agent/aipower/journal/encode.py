"""From a snapshot to the payload of a slot. What an exporter alone needs (power, own cost) is not kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from aipower.journal.jobs import job_rows
from aipower.journal.numbers import finite
from aipower.journal.rows import (
    DeviceRow,
    FaultRow,
    PartRow,
    Payload,
    PositionRow,
    ProcessRow,
    RunRow,
    UserRow,
)
from aipower.journal.text import pack
from aipower.journal.troubles import JournalError
from aipower.model import (
    DeviceState,
    FoldedEnergy,
    ProcessEnergy,
    ProcessInfo,
    RunEnergy,
    Snapshot,
    UserEnergy,
)

Places = Mapping[str, int]
"""The place of each device in the list of devices, by its id."""


def encode(snapshot: Snapshot) -> bytes:
    """The payload that keeps the counters of `snapshot`.

    Raises:
        JournalError: It holds a number that cannot be written.
    """
    places = {row.device.id: place for place, row in enumerate(snapshot.devices)}
    payload = Payload(
        finite(snapshot.at_unix_s),
        pack(snapshot.version),
        pack(snapshot.boot),
        pack(snapshot.naming),
        snapshot.since_unix_s,
        [_device_row(row) for row in snapshot.devices],
        _process_rows(snapshot, places),
        [_process_part(row, places) for row in snapshot.processes if row.info is None],
        [_folded_part(row, places) for row in snapshot.folded],
        snapshot.agent.folded_series,
        _run_rows(snapshot.runs, places),
        _user_rows(snapshot.users, places),
        [FaultRow(pack(device), pack(reason), count) for (device, reason), count in snapshot.fault_counts.items()],
        finite(snapshot.asleep_s),
        job_rows(snapshot.jobs, places),
        [_folded_part(row, places) for row in snapshot.folded_jobs],
    )
    try:
        return msgspec.json.encode(payload)
    except (ValueError, OverflowError) as error:
        raise JournalError("failed", f"a counter cannot be written: {error}") from error


def _device_row(row: DeviceState) -> DeviceRow:
    device, facts, at = row.device, row.facts, row.position
    return DeviceRow(
        pack(device.id),
        device.kind,
        pack(device.name),
        pack(device.index),
        row.idle_uj,
        row.context_uj,
        row.active_uj,
        row.unattributed_uj,
        None if device.parent is None else pack(device.parent),
        pack(facts.uuid),
        pack(facts.driver),
        facts.method,
        None if at is None else PositionRow(finite(at.at_s), at.counter_uj, at.pending_uj),
        finite(row.seen_unix_s),
        None if row.idle_w is None else finite(row.idle_w),
    )


def _process_rows(snapshot: Snapshot, places: Places) -> list[ProcessRow]:
    parts: dict[tuple[ProcessInfo, str, float | None, float | None], list[PartRow]] = {}
    for row in snapshot.processes:
        if row.info is not None:
            key = (row.info, row.run, row.ended_s, row.since_unix_s)
            parts.setdefault(key, []).append(_process_part(row, places))
    return [
        ProcessRow(
            info.id.pid,
            info.id.started_ticks,
            pack(info.comm),
            its,
            pack(info.user),
            pack(run),
            ended_s,
            "" if info.id.boot == snapshot.boot else pack(info.id.boot),
            since_unix_s,
        )
        for (info, run, ended_s, since_unix_s), its in parts.items()
    ]


def _process_part(row: ProcessEnergy, places: Places) -> PartRow:
    place, error = places[row.device.id], row.error
    return PartRow(place, row.active_uj, row.context_uj, finite(error.variance_uj2), finite(error.systematic_uj))


def _folded_part(row: FoldedEnergy, places: Places) -> PartRow:
    return PartRow(places[row.device.id], row.active_uj, row.context_uj)


def _run_rows(rows: Iterable[RunEnergy], places: Places) -> list[RunRow]:
    runs: dict[str, RunRow] = {}
    for row in rows:
        words = pack(row.name), pack(row.user)
        run = runs.setdefault(row.run, RunRow(pack(row.run), [], *words, row.ended_s, row.since_unix_s))
        variance_uj2, systematic_uj = finite(row.error.variance_uj2), finite(row.error.systematic_uj)
        run.parts.append(PartRow(places[row.device.id], row.energy_uj, 0, variance_uj2, systematic_uj))
    return list(runs.values())


def _user_rows(rows: Iterable[UserEnergy], places: Places) -> list[UserRow]:
    users: dict[str, UserRow] = {}
    for row in rows:
        user = users.setdefault(row.user, UserRow(pack(row.user), [], row.since_unix_s))
        user.parts.append(PartRow(places[row.device.id], row.energy_uj))
    return list(users.values())
