"""From the ledger to the record of a run: joules, intervals and who used them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aipower.ledger import SCALE_95, Ledger, half_width_95
from aipower.meter import Channel
from aipower.model import SUMMED_KINDS, UJ_PER_J
from aipower.processes.tree import RunTree
from aipower.run.measure import RUN, Measured
from aipower.run.record import DeviceRecord, Energies, FaultLine, Interval, Intervals, Missing, ProcessRecord

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


def close_books(measured: Measured) -> Books:
    """What was measured, as the record shows it; empty where the sensors never answered."""
    found, meter, ledger = measured.found, measured.meter, measured.ledger
    if found is None or meter is None or ledger is None:
        why = "the sensors did not answer"
        return Books(
            Energies(), Intervals(), [], [], [], [Missing("all sensors", "gpu", why, "aipower doctor")], False
        )
    wall_s = measured.ended_s - measured.started_s
    devices = [_device(channel, ledger, wall_s) for channel in meter.channels]
    faults = [
        FaultLine(f.device, f.reason, f.first_s - measured.started_s, f.last_s - measured.started_s, f.count, f.detail)
        for f in meter.fault_records()
    ]
    missing = [Missing(m.source, m.kind, m.reason, m.remedy) for m in found.sensors.unavailable]
    simulated = any(channel.sensor.facts.driver == "simulated" for channel in meter.channels)
    return Books(
        Energies(**{kind: _sum(_energies(devices, kinds)) for kind, kinds in _kinds()}),
        Intervals(**{kind: _span(_intervals(devices, kinds)) for kind, kinds in _kinds()}),
        devices,
        _processes(ledger, measured.tree),
        faults,
        missing,
        simulated,
    )


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


def _device(channel: Channel, ledger: Ledger, wall_s: float) -> DeviceRecord:
    device, totals = channel.sensor.device, ledger.totals(channel.sensor.device.id)
    part = ledger.run_part(RUN, device.id)
    counted = totals.energy_uj > 0
    edge_j = channel.energy.edge_s * (channel.power.peak_w or 0.0)
    energy_j, own_j = totals.energy_uj / UJ_PER_J, part.energy_uj / UJ_PER_J
    other_uj = totals.energy_uj - totals.idle_uj - part.energy_uj
    half_j = math.hypot(SCALE_95 * energy_j, edge_j)
    own_half_j = math.hypot(half_width_95(part.energy_uj, part) / UJ_PER_J, edge_j if part.energy_uj else 0.0)
    return DeviceRecord(
        device.id,
        device.kind,
        device.index,
        device.name,
        channel.energy.method,
        energy_j if counted else None,
        _around(energy_j, half_j) if counted else None,
        energy_j / wall_s if counted and wall_s > 0 else None,
        channel.power.peak_w,
        own_j if counted else None,
        _around(own_j, own_half_j) if counted else None,
        totals.idle_uj / UJ_PER_J if counted else None,
        other_uj / UJ_PER_J if counted else None,
    )


def _processes(ledger: Ledger, tree: RunTree | None) -> list[ProcessRecord]:
    """The run's processes that used energy, the largest first."""
    if tree is None:
        return []
    cpu_s = tree.cpu_s_by_process()
    rows: list[ProcessRecord] = []
    for process, account in ledger.processes().items():
        if process not in tree:
            continue
        half_j, systematic_uj = 0.0, 0.0
        for part in account.parts.values():
            half_j += half_width_95(part.energy_uj, part) / UJ_PER_J
            systematic_uj += part.systematic_uj
        energy_j = account.energy_uj / UJ_PER_J
        identifiable = systematic_uj <= IDENTIFIABLE_SHARE * account.energy_uj
        command = tree.describe(process).command or account.info.comm
        rows.append(
            ProcessRecord(
                process.pid, command, energy_j, _around(energy_j, half_j), identifiable, cpu_s.get(process, 0.0)
            )
        )
    return sorted(rows, key=lambda row: row.energy_j, reverse=True)[:MAX_PROCESSES]


def _around(middle: float, half: float) -> Interval:
    return max(0.0, middle - half), middle + half
