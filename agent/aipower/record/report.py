"""The report of a run for a terminal: a pure function from the record to text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from aipower.calibration.default import default_words
from aipower.record.wording import bracket, clean, duration, joules, plus_minus, short
from aipower.runrecord import CRUMB, DeviceRecord, FaultLine, Missing, RunRecord, is_covered

LABEL_WIDTH = 9
SHOWN_PROCESSES = 5
SHOWN_FAULTS = 5
FAULT_WIDTH = 160
"""Wide enough for a driver's words and the remedy after them."""
CALIBRATION_WIDTH = 100
METHODS = {"counter": "energy counter", "integrated": "integrated power", "estimated": "model"}
KINDS = {"gpu": "GPU", "cpu": "CPU", "dram": "DRAM"}
WH_J = 3600.0


def render(record: RunRecord, *, verbose: bool = False) -> str:
    """The report, ending with a newline; `verbose` tells how well runs compare, and what scales were taken."""
    labels = labels_of(record.devices)
    lines = [
        _headline(record),
        *(line for device in _used(record) for line in _device(device, labels[device.device], record, verbose)),
        *_unused(record),
        *_estimate(record),
        *_missing(record.not_measured),
        *_processes(record),
        *_faults(record.faults, labels),
        *_notes(record),
        _total(record, labels),
    ]
    return "\n".join(lines) + "\n"


def labels_of(devices: Sequence[DeviceRecord]) -> dict[str, str]:
    """Kind and index by device id; with the die's or package's name where several would have the same."""
    plain = {d.device: f"{KINDS.get(d.kind, d.kind)} {d.index}" for d in devices}
    repeated = {label for label, count in Counter(plain.values()).items() if count > 1}
    return {
        d.device: _with_name(plain[d.device], d.name) if plain[d.device] in repeated else plain[d.device]
        for d in devices
    }


def _with_name(label: str, name: str) -> str:
    """`CPU 0 package-0-die-1` from `package-0-die-1 (model)`; a memory is named after its package."""
    words = name.partition(" (")[0].split()
    return f"{label} {words[-1]}" if words else label


def _headline(record: RunRecord) -> str:
    name = f" [{short(record.name, 40)}]" if record.name else ""
    simulated = "  SIMULATED SENSORS: no measurement" if record.simulated else ""
    command = short(" ".join(record.command), 60)
    return f"aipower: {command}{name}  exit {record.exit_code}  {duration(record.wall_s)}{simulated}"


def _used(record: RunRecord) -> list[DeviceRecord]:
    """Devices worth a line: all processors and memories, and the GPUs that the run used or may have used."""
    faulty = {fault.device for fault in record.faults}
    return [
        d
        for d in record.devices
        if d.kind != "gpu" or len(record.devices) == 1 or d.device in faulty or _may_be_used(d)
    ]


def _may_be_used(device: DeviceRecord) -> bool:
    """False only where the run's part is known to be none; crumbs of unattributed energy are the sensor's noise."""
    if device.run_energy_j is None or device.energy_j is None or device.run_energy_j > 0:
        return True
    high_j = device.run_interval_j[1] if device.run_interval_j else 0.0
    return max(high_j, device.unattributed_j or 0.0) > CRUMB * device.energy_j


def _unused(record: RunRecord) -> Iterable[str]:
    shown = {device.device for device in _used(record)}
    rest = [device for device in record.devices if device.device not in shown]
    if rest:
        energy_j = sum(device.energy_j or 0.0 for device in rest)
        plural = "s" if len(rest) > 1 else ""
        yield _row("", f"{len(rest)} GPU{plural} that this run did not use drew {joules(energy_j)} meanwhile")


def _device(
    device: DeviceRecord,
    label: str,
    record: RunRecord,
    verbose: bool,  # noqa: FBT001 - passed through from `render`
) -> Iterable[str]:
    if device.energy_j is None:
        faulty = any(fault.device in {device.device, None} for fault in record.faults)
        why = "see the faults" if faulty else "the run was too short for its sensor"
        yield _row(label, f"{device.name}: no energy was read; {why}")
        return
    if device.run_energy_j is None:
        yield _row(label, f"the run's part is not known: {device.run_unknown}")
    else:
        own = f"{joules(device.run_energy_j)}  {bracket(device.run_interval_j)}"
        yield _row(label, f"{own}  by this run, {METHODS[device.method]}")
    yield _row("", f"device {joules(device.energy_j)}{_powers(device)}: {_rest(device)}")
    if verbose:
        yield _row("", f"{_repeatable(device)}; {_scale(device)}")
    if not is_covered(device, record.wall_s):
        yield _row("", f"covers {_part_of(device.covered_s, record.wall_s)}")
    yield _row("", short(device.name, 60))


def _repeatable(device: DeviceRecord) -> str:
    """Within which part of themselves figures of the same device compare."""
    parts = (
        ("device", device.energy_j, device.repeatable_interval_j),
        ("run", device.run_energy_j, device.repeatable_run_interval_j),
    )
    known = [f"{what} {text}" for what, energy_j, found_j in parts if (text := plus_minus(energy_j, found_j))]
    return f"repeatable: {', '.join(known)}"


def _scale(device: DeviceRecord) -> str:
    if device.calibration:
        return f"calibrated by {short(device.calibration, CALIBRATION_WIDTH)}"
    return f"not calibrated, {default_words('gpu' if device.kind == 'gpu' else 'cpu')}"


def _part_of(covered_s: float, wall_s: float) -> str:
    return f"{covered_s:.1f} of {wall_s:.1f} s" if wall_s >= 1 else f"{duration(covered_s)} of {duration(wall_s)}"


def _powers(device: DeviceRecord) -> str:
    powers = (("mean", device.mean_w), ("peak", device.peak_w))
    shown = ", ".join(f"{what} {power_w:.1f} W" for what, power_w in powers if power_w is not None)
    return f" ({shown})" if shown else ""


def _rest(device: DeviceRecord) -> str:
    """What was not the run's; the idle part always, the others where there are any."""
    parts = [f"{joules(device.idle_j)} idle" if device.idle_j else "idle level never seen, so counted as used"]
    if device.other_j:
        parts.append(f"{joules(device.other_j)} other processes")
    if device.unattributed_j:
        parts.append(f"{joules(device.unattributed_j)} unattributed")
    return ", ".join(parts)


def _estimate(record: RunRecord) -> Iterable[str]:
    energy_j, interval_j = record.estimated_j.cpu, record.estimated_interval_j.cpu
    if energy_j is not None:
        basis = f"estimated from {duration(record.cpu_time_s)} of CPU time, not in the total"
        yield _row("CPU", f"{joules(energy_j)}  {bracket(interval_j)}  {basis}")


def _missing(not_measured: Sequence[Missing]) -> Iterable[str]:
    """A line for each reason, however many sources it hit."""
    sources: dict[tuple[str, str], list[str]] = {}
    for missing in not_measured:
        sources.setdefault((missing.reason, missing.remedy), []).append(missing.source)
    for (reason, remedy), names in sources.items():
        what = f"{' and '.join(names)} not measured: {reason}"
        yield _row("", f"{what}; {remedy}" if remedy else what)


def _processes(record: RunRecord) -> Iterable[str]:
    if len(record.processes) < 2:  # noqa: PLR2004 - one process is the command itself
        return
    for process in record.processes[:SHOWN_PROCESSES]:
        unsure = "" if process.identifiable else ", never seen apart"
        yield _row("process", f"{joules(process.energy_j):>9}  {process.pid}  {short(process.command, 44)}{unsure}")
    left = len(record.processes) - SHOWN_PROCESSES
    if left > 0:
        yield _row("", f"and {left} more")
    labels = labels_of(record.devices)
    for group in record.indistinct:
        whose = f"{len(group.pids)} processes that nothing tells apart on {labels.get(group.device, group.device)}"
        yield _row("together", f"{joules(group.energy_j):>9}  {bracket(group.interval_j)}  {whose}")


def _faults(faults: Sequence[FaultLine], labels: Mapping[str, str]) -> Iterable[str]:
    for fault in faults[:SHOWN_FAULTS]:
        repeated = f" to {fault.last_s:.1f} s, {fault.count} times" if fault.count > 1 else ""
        who = labels.get(fault.device, fault.device) if fault.device else "sensors"
        what = f"{who}: {fault.reason} at {fault.first_s:.1f} s{repeated}"
        yield _row("fault", f"{what}: {short(fault.detail, FAULT_WIDTH)}" if fault.detail else what)
    if len(faults) > SHOWN_FAULTS:
        yield _row("", f"and {len(faults) - SHOWN_FAULTS} more in the --json record")


def _notes(record: RunRecord) -> Iterable[str]:
    if record.surviving_processes:
        yield _row(
            "note",
            f"{record.surviving_processes} of its processes still run; --wait measures until the last has ended",
        )
    if any(fault.reason == "hung" for fault in record.faults):
        yield _row("note", "a sensor hung: the figures end before the command did; see `aipower doctor`")
    elif not record.complete:
        yield _row("note", "the figures do not cover the whole run")


def _total(record: RunRecord, labels: Mapping[str, str]) -> str:
    energy_j = record.energy_j.total
    if energy_j is None:
        known = any(device.energy_j is not None for device in record.devices)
        return _row("total", "the run's part is not known" if known else "nothing was measured")
    own = f"{joules(energy_j)}  {bracket(record.interval_j.total)}  measured = {energy_j / WH_J:.4g} Wh"
    without = [labels[d.device] for d in record.devices if d.run_energy_j is None]
    return _row("total", f"{own}, without {', '.join(without)}" if without else own)


def _row(label: str, text: str) -> str:
    return f"  {clean(label):<{LABEL_WIDTH - 1}} {clean(text)}".rstrip()
