"""From the ledger to the record of a run: joules, intervals and who used them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from aipower.attribution.apportion import TOGETHER
from aipower.books.accounts import ProcessAccount
from aipower.books.faultlog import FaultRecord
from aipower.books.ledger import Ledger
from aipower.books.uncertainty import Error, part_error
from aipower.meter import Channel, Meter
from aipower.model import UJ_PER_J, ProcessId
from aipower.processes.tree import RunTree
from aipower.record.conditions import with_conditions
from aipower.record.device_rows import Span, device_row, share_of, span_of
from aipower.record.measured import Measured
from aipower.record.shares import Range, Share, sums_by_kind
from aipower.runrecord import (
    DeviceRecord,
    Energies,
    FaultLine,
    GroupRecord,
    Intervals,
    Missing,
    PhaseRecord,
    ProcessRecord,
    is_covered,
)

IDENTIFIABLE_SHARE = 0.05
"""A process may share so much of its energy with others it was never told from; more is doubtful as a whole."""
MAX_PROCESSES = 1000


class Books(Struct, frozen=True):
    """The energy side of a record."""

    energy_j: Energies
    interval_j: Intervals
    repeatable_interval_j: Intervals
    devices: list[DeviceRecord]
    processes: list[ProcessRecord]
    indistinct: list[GroupRecord]
    faults: list[FaultLine]
    not_measured: list[Missing]
    simulated: bool
    phases: list[PhaseRecord]
    covered: bool
    """True where all devices with energy or faults were watched for the whole run."""


def close_books(measured: Measured, command: str, cpu_s: float) -> Books:
    """What was measured, as the record shows it; empty where the sensors never answered.

    `command` is the run's command line, `cpu_s` the exact CPU seconds of all that has ended.
    """
    meter, ledger, tree = measured.meter, measured.ledger, measured.tree
    if meter is None or ledger is None:
        return _without_sensors(measured)
    wall_s = measured.ended_s - measured.started_s
    span = span_of(wall_s, cpu_s, tree.total_cpu_s() if tree else 0.0)
    rows = [device_row(channel, ledger, span) for channel in meter.channels]
    devices = [with_conditions(row, measured.conditions) for row in rows]
    sums = sums_of(meter.channels, ledger, span)
    faults = [*_troubles(measured), *(_fault(fault, measured) for fault in meter.fault_records())]
    return Books(
        Energies(**{kind: share.own.energy_j for kind, share in sums.items()}),
        Intervals(**{kind: share.absolute_j for kind, share in sums.items()}),
        Intervals(**{kind: share.repeatable_j for kind, share in sums.items()}),
        devices,
        _processes(meter, ledger, tree, command),
        _groups(meter, ledger, tree),
        faults,
        [Missing(m.source, m.kind, m.reason, m.remedy) for m in measured.unavailable],
        any(channel.sensor.facts.driver == "simulated" for channel in meter.channels),
        _phases(measured, meter.channels, ledger, span),
        _covered(devices, faults, wall_s),
    )


def _without_sensors(measured: Measured) -> Books:
    why = "; ".join(trouble.detail for trouble in measured.troubles) or "the sensors did not answer"
    missing = Missing("all sensors", "gpu", why, "aipower doctor")
    nothing = (Energies(), Intervals(), Intervals())
    return Books(*nothing, [], [], [], [], [missing], simulated=False, phases=[], covered=False)


def _phases(measured: Measured, channels: Sequence[Channel], ledger: Ledger, span: Span) -> list[PhaseRecord]:
    story = measured.story
    if story is None or not story.has_marks:
        return []
    from aipower.record.phases.rows import phase_rows  # noqa: PLC0415 - most runs have none

    return phase_rows(story.marks, story.phases, channels, ledger, span)


def _troubles(measured: Measured) -> list[FaultLine]:
    troubles = [
        FaultLine(None, trouble.reason, trouble.at_s, trouble.at_s, 1, trouble.detail) for trouble in measured.troubles
    ]
    story = measured.story
    lost = story.marks.lost if story and story.has_marks else 0
    if lost:
        detail = "messages of the program's phases were lost: there were too many at once, or they made no sense"
        troubles.append(FaultLine(None, "phases_lost", 0.0, measured.ended_s - measured.started_s, lost, detail))
    return troubles


def _fault(fault: FaultRecord, measured: Measured) -> FaultLine:
    """`fault` in seconds of the run; what came before the run is at 0."""
    first_s, last_s = (max(0.0, at_s - measured.started_s) for at_s in (fault.first_s, fault.last_s))
    return FaultLine(fault.device, fault.reason, first_s, last_s, fault.count, fault.detail)


def _covered(devices: Sequence[DeviceRecord], faults: Sequence[FaultLine], wall_s: float) -> bool:
    faulty = {fault.device for fault in faults}
    return all(is_covered(d, wall_s) for d in devices if d.energy_j is not None or d.device in faulty)


def sums_of(channels: Sequence[Channel], ledger: Ledger, span: Span) -> dict[str, Share]:
    """The run's part of all devices, and of those of a kind; kinds of which nothing is known are not in it."""
    return sums_by_kind((channel.sensor.device.kind, share_of(channel, ledger, span)) for channel in channels)


def _processes(meter: Meter, ledger: Ledger, tree: RunTree | None, command: str) -> list[ProcessRecord]:
    """The run's processes that used energy, the largest first."""
    if tree is None:
        return []
    cpu_s = tree.cpu_s_by_process()
    by_device = {channel.sensor.device.id: channel for channel in meter.channels}
    rows: list[ProcessRecord] = []
    for process, account in ledger.processes().items():
        if process not in tree:
            continue
        energy = Range(account.energy_uj / UJ_PER_J, _process_error(account, ledger, by_device))
        rows.append(
            ProcessRecord(
                process.pid,
                _command(process, tree, command, account.info.comm),
                energy.energy_j,
                energy.absolute_j,
                energy.repeatable_j,
                _identifiable(process, account, meter, ledger),
                cpu_s.get(process, 0.0),
            )
        )
    return sorted(rows, key=lambda row: row.energy_j, reverse=True)[:MAX_PROCESSES]


def _groups(meter: Meter, ledger: Ledger, tree: RunTree | None) -> list[GroupRecord]:
    """The run's processes on each device that nothing tells apart, as their sum."""
    rows: list[GroupRecord] = []
    for channel in meter.channels:
        device = channel.sensor.device
        users = {p: a.parts[device.id] for p, a in ledger.processes().items() if device.id in a.parts}
        group = meter.indistinct(device.id, users)
        if tree is None or len(group) < 2 or any(process not in tree for process in group):  # noqa: PLR2004 - a pair
            continue
        part = ledger.run_part(TOGETHER, device.id).copy()
        for process in group:
            part.count(users[process])
        edge_uj = channel.edge_uj * min(1.0, part.energy_uj / max(1, ledger.totals(device.id).energy_uj))
        sum_ = Range(part.energy_uj / UJ_PER_J, part_error(part, ledger.scale(device), edge_uj))
        pids = sorted(process.pid for process in group)
        rows.append(GroupRecord(device.id, pids, sum_.energy_j, sum_.absolute_j, sum_.repeatable_j))
    return rows


def _process_error(account: ProcessAccount, ledger: Ledger, channels: Mapping[str, Channel]) -> Error:
    """Over all devices; what a device's edges may hide is borne by those who worked on it, by what they used."""
    error = Error()
    for device_id, part in account.parts.items():
        channel, totals = channels[device_id], ledger.totals(device_id)
        used_uj = totals.energy_uj - totals.idle_uj
        edge_uj = channel.edge_uj * part.energy_uj / used_uj if used_uj else 0.0
        error += part_error(part, ledger.scale(channel.sensor.device), edge_uj)
    return error


def _command(process: ProcessId, tree: RunTree, command: str, comm: str) -> str:
    """The newest command line that was seen of `process`; what we started ourselves is known without a look."""
    member = tree.describe(process)
    if process == tree.root and member.command == member.comm:
        return command
    return member.command or comm


def _identifiable(process: ProcessId, account: ProcessAccount, meter: Meter, ledger: Ledger) -> bool:
    """False where a part of its energy that matters was shared with others whom nothing tells it from."""
    doubtful_uj = 0.0
    for device, part in account.parts.items():
        totals = ledger.totals(device)
        others_uj = totals.active_uj + totals.unattributed_uj - part.active_uj
        shared_uj = min(part.active_uj, others_uj)
        if meter.indistinct(device, (process,)):
            doubtful_uj += shared_uj
    return doubtful_uj <= IDENTIFIABLE_SHARE * account.energy_uj
