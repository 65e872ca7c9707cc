"""Rows of the report about devices: what the run used, and what was idle, others' or nobody's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from aipower.calibration.default import default_words
from aipower.record.page import Page, Row
from aipower.record.wording import bracket, duration, joules, plus_minus, short
from aipower.runrecord import CRUMB, DeviceRecord, RunRecord, is_covered

Room = Literal["full", "pair", "line"]
"""All that is known of a device, two lines without its name, or one."""
FEW, SOME = 3, 6
CALIBRATION_WIDTH = 100
METHODS = {"counter": "energy counter", "integrated": "integrated power", "estimated": "model"}
KINDS = {"gpu": "GPU", "cpu": "CPU", "dram": "DRAM"}


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


def used_devices(record: RunRecord) -> list[DeviceRecord]:
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


def unused_rows(record: RunRecord) -> Iterable[Row]:
    """What the GPUs that the run did not use have drawn meanwhile."""
    shown = {device.device for device in used_devices(record)}
    rest = [device for device in record.devices if device.device not in shown]
    if rest:
        energy_j = sum(device.energy_j or 0.0 for device in rest)
        plural = "s" if len(rest) > 1 else ""
        yield Row("", f"{len(rest)} GPU{plural} that this run did not use drew {joules(energy_j)} meanwhile", "dim")


def device_rows(device: DeviceRecord, label: str, record: RunRecord, page: Page, room: Room) -> Iterable[Row]:
    """The run's part with its interval and method; then the whole device, and what of it was not the run's."""
    if room == "line" and device.energy_j is not None and device.run_energy_j is not None:
        yield _in_one_line(device, label)
        if not is_covered(device, record.wall_s):
            yield Row("", f"covers {_part_of(device.covered_s, record.wall_s)}", "warn")
        return
    if device.energy_j is None:
        faulty = any(fault.device in {device.device, None} for fault in record.faults)
        why = "see the faults" if faulty else "the run was too short for its sensor"
        yield Row(label, f"{device.name}: no energy was read; {why}", "warn")
        return
    if device.run_energy_j is None:
        yield Row(label, f"the run's part is not known: {device.run_unknown}", "warn")
    else:
        own = f"{joules(device.run_energy_j)}  {bracket(device.run_interval_j)}"
        yield Row(label, f"{own}  by this run, {METHODS[device.method]}")
    yield Row("", f"device {joules(device.energy_j)}{_powers(device)}: {_rest(device)}", "dim")
    if page.verbose:
        yield Row("", f"{_repeatable(device)}; {_scale(device)}", "dim")
    if not is_covered(device, record.wall_s):
        yield Row("", f"covers {_part_of(device.covered_s, record.wall_s)}", "warn")
    if room == "full":
        yield Row("", short(device.name, 60), "dim")


def room_for(devices: int, page: Page) -> Room:
    """How much of a screen each of so many devices may have."""
    if page.verbose or devices <= FEW:
        return "full"
    return "pair" if devices <= SOME else "line"


def _in_one_line(device: DeviceRecord, label: str) -> Row:
    power = f"mean {device.mean_w:.1f} W, " if device.mean_w is not None else ""
    own = f"{joules(device.run_energy_j or 0.0)}  {bracket(device.run_interval_j)}"
    return Row(label, f"{own}  {METHODS[device.method]}, {power}device {joules(device.energy_j or 0.0)}")


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
