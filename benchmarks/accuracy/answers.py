"""What the product says of a case when it is over, beside the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from aipower.books.ledger import Ledger
from aipower.books.uncertainty import Error, part_error
from aipower.meter import Channel, Meter
from aipower.model import SUMMED_KINDS, UJ_PER_J, ProcessId
from aipower.record.books import _identifiable as identifiable
from aipower.record.books import sums_of
from aipower.record.device_rows import Span, device_row
from aipower.record.measured import RUN
from aipower.runrecord import DeviceRecord, is_covered
from benchmarks.accuracy.case import Case, Part
from benchmarks.accuracy.estimates import METHOD, Estimate, Interval

WARNINGS = frozenset({"alias", "disagreement"})
"""Faults by which aipower says that it may not see all of a device's energy."""


def answers(case: Case, meter: Meter, ledger: Ledger) -> Iterable[Estimate]:
    """The device, the run, its groups and each process, of every device; and a run's sums over several."""
    for part, channel in zip(case.parts, meter.channels, strict=True):
        found = [*_of_device(case, part, channel, meter, ledger), *_of_members(case, part, channel, meter, ledger)]
        yield from found if part.true_scale or case.again else (replace(e, repeatable_j=None) for e in found)
    if case.watcher == "run" and len(case.parts) > 1:
        yield from _of_sums(case, meter.channels, ledger)


def _of_device(case: Case, part: Part, channel: Channel, meter: Meter, ledger: Ledger) -> Iterable[Estimate]:
    if case.watcher != "run":
        return
    wall_s = case.end_s - case.start_s
    row = device_row(channel, ledger, Span(wall_s, 0.0, 1))
    reasons = {fault.reason for fault in meter.fault_records() if fault.device == part.device.id}
    doubtful = bool(reasons & WARNINGS) or not is_covered(row, wall_s)
    if row.energy_j is not None and row.interval_j is not None:
        true_j = part.power.between_j(case.start_s, case.end_s)
        yield Estimate(METHOD, "device", true_j, row.energy_j, row.interval_j, row.repeatable_interval_j, doubtful)
    yield from _of_run(case, part, row)


def _of_run(case: Case, part: Part, row: DeviceRecord) -> Iterable[Estimate]:
    if row.run_energy_j is not None and row.run_interval_j is not None and _members(case, part, RUN):
        true_j, repeatable_j = _true_j(case, part, RUN), row.repeatable_run_interval_j
        yield Estimate(METHOD, "run", true_j, row.run_energy_j, row.run_interval_j, repeatable_j)
    if case.strangers and row.other_j is not None:
        yield Estimate(METHOD, "other", _true_j(case, part, ""), row.other_j)


def _of_members(case: Case, part: Part, channel: Channel, meter: Meter, ledger: Ledger) -> Iterable[Estimate]:
    """A process that was never seen has 0 J and, since nothing is stated of it, no interval."""
    accounts, scale = ledger.processes(), ledger.scale(part.device)
    for members in _series(case, part):
        true_j = sum(part.joules[member] for member in members)
        process = next((member for member in members if member in accounts), None)
        if process is None:
            yield Estimate(METHOD, "process", true_j, 0.0)
            continue
        account = ledger.part(process, part.device.id)
        doubtful = not identifiable(process, accounts[process], meter, ledger)
        yield _stated("process", true_j, account.energy_uj / UJ_PER_J, part_error(account, scale), flagged=doubtful)
    for name in part.groups:
        account = ledger.run_part(name, part.device.id)
        error = part_error(account, scale, channel.edge_uj if account.energy_uj else 0.0)
        yield _stated(name, _true_j(case, part, name), account.energy_uj / UJ_PER_J, error)


def _of_sums(case: Case, channels: Sequence[Channel], ledger: Ledger) -> Iterable[Estimate]:
    """What the record says of the run over all devices, and over all of a kind."""
    for kind, share in sums_of(channels, ledger, Span(case.end_s - case.start_s, 0.0, 1)).items():
        kinds = SUMMED_KINDS if kind == "total" else (kind,)
        true_j = sum(_true_j(case, part, RUN) for part in case.parts if part.device.kind in kinds)
        yield Estimate(METHOD, f"all {kind}", true_j, share.own.energy_j, share.absolute_j, share.repeatable_j)


def _series(case: Case, part: Part) -> Iterable[Sequence[ProcessId]]:
    """Processes that had the same pid and name after one another have one account."""
    series: dict[tuple[int, str], list[ProcessId]] = {}
    for process in part.joules:
        series.setdefault((process.pid, case.names.get(process, "")), []).append(process)
    return series.values()


def _members(case: Case, part: Part, run: str) -> Sequence[ProcessId]:
    return [process for process in part.joules if case.run_of(process, RUN) == run]


def _true_j(case: Case, part: Part, run: str) -> float:
    return sum(part.joules[process] for process in _members(case, part, run))


def _stated(subject: str, true_j: float, found_j: float, error: Error, *, flagged: bool = False) -> Estimate:
    absolute_j, repeatable_j = (
        _around(found_j, half_uj / UJ_PER_J) for half_uj in (error.absolute_95_uj, error.repeatable_95_uj)
    )
    return Estimate(METHOD, subject, true_j, found_j, absolute_j, repeatable_j, flagged)


def _around(middle: float, half: float) -> Interval:
    return max(0.0, middle - half), middle + half
