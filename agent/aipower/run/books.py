"""From the ledger to the record of a run: joules, intervals and who used them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aipower.accounts import ProcessAccount
from aipower.attribution.active import CPU_INTENSITY_SE
from aipower.faultlog import FaultRecord
from aipower.ledger import Ledger, half_width_95
from aipower.model import SUMMED_KINDS, UJ_PER_J, ProcessId
from aipower.processes.tree import RunTree
from aipower.run.conditions import with_conditions
from aipower.run.device_rows import around, device_row, span_of
from aipower.run.measure import Measured
from aipower.run.record import (
    DeviceRecord,
    Energies,
    FaultLine,
    Interval,
    Intervals,
    Missing,
    ProcessRecord,
    is_covered,
)

IDENTIFIABLE_SHARE = 0.05
"""A process whose part is uncertain by more than this for sharing devices cannot be told apart well."""
MAX_PROCESSES = 1000


@dataclass(frozen=True, slots=True)
class Books:
    """The energy side of a record."""

    energy_j: Energies
    interval_j: Intervals
    devices: list[DeviceRecord]
    processes: list[ProcessRecord]
    faults: list[FaultLine]
    not_measured: list[Missing]
    simulated: bool
    covered: bool
    """True where all devices with energy or faults were watched for the whole run."""


def close_books(measured: Measured, command: str, cpu_s: float) -> Books:
    """What was measured, as the record shows it; empty where the sensors never answered.

    `command` is the run's command line, `cpu_s` the exact CPU seconds of all that has ended.
    """
    found, meter, ledger, tree = measured.found, measured.meter, measured.ledger, measured.tree
    if found is None or meter is None or ledger is None:
        return _without_sensors(measured)
    wall_s = measured.ended_s - measured.started_s
    span = span_of(wall_s, cpu_s, tree.total_cpu_s() if tree else 0.0)
    rows = [device_row(channel, ledger, span) for channel in meter.channels]
    devices = [with_conditions(row, measured.conditions) for row in rows]
    faults = [*_troubles(measured), *(_fault(fault, measured) for fault in meter.fault_records())]
    return Books(
        Energies(**{kind: _sum(_energies(devices, kinds)) for kind, kinds in _kinds()}),
        Intervals(**{kind: _span(_intervals(devices, kinds)) for kind, kinds in _kinds()}),
        devices,
        _processes(ledger, tree, command),
        faults,
        [Missing(m.source, m.kind, m.reason, m.remedy) for m in found.sensors.unavailable],
        any(channel.sensor.facts.driver == "simulated" for channel in meter.channels),
        _covered(devices, faults, wall_s),
    )


def _without_sensors(measured: Measured) -> Books:
    why = "; ".join(trouble.detail for trouble in measured.troubles) or "the sensors did not answer"
    missing = Missing("all sensors", "gpu", why, "aipower doctor")
    return Books(Energies(), Intervals(), [], [], [], [missing], simulated=False, covered=False)


def _troubles(measured: Measured) -> list[FaultLine]:
    return [FaultLine(None, trouble.reason, 0.0, 0.0, 1, trouble.detail) for trouble in measured.troubles]


def _fault(fault: FaultRecord, measured: Measured) -> FaultLine:
    """`fault` in seconds of the run; what came before the run is at 0."""
    first_s, last_s = (max(0.0, at_s - measured.started_s) for at_s in (fault.first_s, fault.last_s))
    return FaultLine(fault.device, fault.reason, first_s, last_s, fault.count, fault.detail)


def _covered(devices: Sequence[DeviceRecord], faults: Sequence[FaultLine], wall_s: float) -> bool:
    faulty = {fault.device for fault in faults}
    return all(is_covered(d, wall_s) for d in devices if d.energy_j is not None or d.device in faulty)


def _kinds() -> Iterable[tuple[str, Sequence[str]]]:
    yield "total", SUMMED_KINDS
    for kind in SUMMED_KINDS:
        yield kind, (kind,)


def _energies(devices: Sequence[DeviceRecord], kinds: Sequence[str]) -> list[float]:
    return [d.run_energy_j for d in devices if d.kind in kinds and d.run_energy_j is not None]


def _intervals(devices: Sequence[DeviceRecord], kinds: Sequence[str]) -> list[Interval]:
    return [d.run_interval_j for d in devices if d.kind in kinds and d.run_interval_j is not None]


def _sum(energies_j: Sequence[float]) -> float | None:
    return math.fsum(energies_j) if energies_j else None


def _span(intervals_j: Sequence[Interval]) -> Interval | None:
    """Ends added up: devices of one make share their scale error, so errors are taken as one, not as independent."""
    if not intervals_j:
        return None
    return math.fsum(low for low, _ in intervals_j), math.fsum(high for _, high in intervals_j)


def _processes(ledger: Ledger, tree: RunTree | None, command: str) -> list[ProcessRecord]:
    """The run's processes that used energy, the largest first."""
    if tree is None:
        return []
    cpu_s = tree.cpu_s_by_process()
    rows: list[ProcessRecord] = []
    for process, account in ledger.processes().items():
        if process not in tree:
            continue
        half_j = sum(half_width_95(part.energy_uj, part) for part in account.parts.values()) / UJ_PER_J
        energy_j = account.energy_uj / UJ_PER_J
        rows.append(
            ProcessRecord(
                process.pid,
                _command(process, tree, command, account.info.comm),
                energy_j,
                around(energy_j, half_j),
                _identifiable(account, ledger),
                cpu_s.get(process, 0.0),
            )
        )
    return sorted(rows, key=lambda row: row.energy_j, reverse=True)[:MAX_PROCESSES]


def _command(process: ProcessId, tree: RunTree, command: str, comm: str) -> str:
    """The newest command line that was seen of `process`; what we started ourselves is known without a look."""
    member = tree.describe(process)
    if process == tree.root and member.command == member.comm:
        return command
    return member.command or comm


def _identifiable(account: ProcessAccount, ledger: Ledger) -> bool:
    """False where sharing devices with others makes the process's part uncertain.

    The error of unequal intensity grows with what others did: a process that has a device to itself has none of it.
    """
    shared_uj = 0.0
    for device, part in account.parts.items():
        totals = ledger.totals(device)
        work_uj = totals.active_uj + totals.unattributed_uj
        others = 1 - part.active_uj / work_uj if work_uj else 0.0
        shared_uj += CPU_INTENSITY_SE * part.active_uj * max(0.0, others)
    return shared_uj <= IDENTIFIABLE_SHARE * account.energy_uj
