"""From the payload of a slot back to a snapshot, from which a ledger goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from aipower.journal.jobs import jobs_of
from aipower.journal.rows import DeviceRow, PartRow, Payload, PositionRow, ProcessRow, RunRow, UserRow
from aipower.journal.text import unpack
from aipower.journal.troubles import JournalError
from aipower.model import (
    AgentStats,
    Device,
    DeviceFacts,
    DeviceState,
    FoldedEnergy,
    PartError,
    Position,
    ProcessEnergy,
    ProcessId,
    ProcessInfo,
    RunEnergy,
    Snapshot,
    UserEnergy,
)

_decoder = msgspec.json.Decoder(Payload)


def decode(payload: bytes) -> Snapshot:
    """The snapshot that `payload` keeps, without what an exporter alone needs; half-widths of intervals are 0.

    Raises:
        JournalError: It is no such payload.
    """
    try:
        return _snapshot(_decoder.decode(payload))
    except (msgspec.DecodeError, ValueError, IndexError, RecursionError) as error:
        raise JournalError("corrupt", f"no counters: {error}") from error


def _snapshot(payload: Payload) -> Snapshot:
    states = tuple(_device(row, payload.at_unix_s) for row in payload.devices)
    devices = [state.device for state in states]
    boot = unpack(payload.boot)
    processes = [energy for row in payload.processes for energy in _process(row, boot, devices)]
    other = (_energy(None, "", part, devices) for part in payload.other)
    faults = {(unpack(row.device), unpack(row.reason)): row.count for row in payload.faults}
    return Snapshot(
        payload.at_unix_s,
        unpack(payload.version),
        states,
        (*processes, *other),
        tuple(energy for row in payload.runs for energy in _run(row, devices)),
        MappingProxyType(faults),
        AgentStats(folded_series=payload.folded_series),
        tuple(_folded(part, devices) for part in payload.folded),
        tuple(energy for row in payload.users for energy in _user(row, devices)),
        None,
        payload.since_unix_s,
        boot,
        unpack(payload.naming),
        asleep_s=payload.asleep_s,
        jobs=tuple(energy for row in payload.jobs for energy in jobs_of(row, devices)),
        folded_jobs=tuple(_folded(part, devices) for part in payload.folded_jobs),
    )


def _folded(part: PartRow, devices: Sequence[Device]) -> FoldedEnergy:
    return FoldedEnergy(devices[part.device], part.context_uj, part.active_uj)


def _device(row: DeviceRow, at_unix_s: float) -> DeviceState:
    parent = None if row.parent is None else unpack(row.parent)
    return DeviceState(
        Device(unpack(row.id), row.kind, unpack(row.name), unpack(row.index), parent),
        DeviceFacts(unpack(row.uuid), unpack(row.driver), row.method),
        False,
        None,
        row.idle_uj + row.context_uj + row.active_uj + row.unattributed_uj,
        row.idle_uj,
        row.context_uj,
        row.active_uj,
        row.unattributed_uj,
        _position(row.position),
        # Written by whom did not note it: forgotten devices would take their counters with them.
        row.seen_unix_s or at_unix_s,
        idle_w=row.idle_w,
    )


def _position(row: PositionRow | None) -> Position | None:
    return None if row is None else Position(row.at_s, row.counter_uj, row.pending_uj)


def _process(row: ProcessRow, boot: str, devices: Sequence[Device]) -> Iterator[ProcessEnergy]:
    who = ProcessId(unpack(row.boot) or boot, row.pid, row.ticks)
    info = ProcessInfo(who, unpack(row.comm), unpack(row.user))
    for part in row.parts:
        energy = _energy(info, unpack(row.run), part, devices)
        yield replace(energy, ended_s=row.ended_s, since_unix_s=row.since_unix_s)


def _energy(info: ProcessInfo | None, run: str, part: PartRow, devices: Sequence[Device]) -> ProcessEnergy:
    device = devices[part.device]
    return ProcessEnergy(info, run, device, part.context_uj, part.active_uj, 0.0, None, _error(part))


def _run(row: RunRow, devices: Sequence[Device]) -> Iterator[RunEnergy]:
    for part in row.parts:
        yield RunEnergy(
            unpack(row.run),
            unpack(row.name),
            unpack(row.user),
            devices[part.device],
            part.context_uj + part.active_uj,
            row.ended_s,
            _error(part),
            row.since_unix_s,
        )


def _user(row: UserRow, devices: Sequence[Device]) -> Iterator[UserEnergy]:
    for part in row.parts:
        yield UserEnergy(unpack(row.user), devices[part.device], part.context_uj + part.active_uj, row.since_unix_s)


def _error(part: PartRow) -> PartError:
    return PartError(part.variance_uj2, part.systematic_uj)
