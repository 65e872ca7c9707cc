"""The report of a run for a terminal: a pure function from the record to text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aipower.run.record import DeviceRecord, FaultLine, Interval, RunRecord

LABEL_WIDTH = 9
SHOWN_PROCESSES = 5
SHOWN_FAULTS = 5
METHODS = {"counter": "energy counter", "integrated": "integrated power", "estimated": "model"}
KINDS = {"gpu": "GPU", "cpu": "CPU", "dram": "DRAM"}
WH_J = 3600.0


def render(record: RunRecord) -> str:
    """The report, ending with a newline."""
    lines = [
        _headline(record),
        *(line for device in _used(record) for line in _device(device)),
        *_unused(record),
        *_estimate(record),
        *(_row("", f"{m.source} not measured: {m.reason}; {m.remedy}") for m in record.not_measured),
        *_processes(record),
        *_faults(record.faults),
        *_notes(record),
        _total(record),
    ]
    return "\n".join(lines) + "\n"


def joules(energy_j: float) -> str:
    """Three to four significant digits with an SI prefix."""
    if energy_j == 0:
        return "0 J"
    for limit, scale, unit in ((1e6, 1e6, "MJ"), (1e4, 1e3, "kJ"), (1.0, 1.0, "J"), (0.0, 1e-3, "mJ")):
        if energy_j >= limit:
            value = energy_j / scale
            return f"{value:.{0 if value >= 1000 else 1 if value >= 100 else 2}f} {unit}"  # noqa: PLR2004 - digits
    return f"{energy_j} J"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, the finer the shorter."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.2f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min {rest_s:02d} s" if hours else f"{minutes} min {rest_s:02d} s"


def _headline(record: RunRecord) -> str:
    name = f" [{_short(record.name, 40)}]" if record.name else ""
    simulated = "  SIMULATED SENSORS: no measurement" if record.simulated else ""
    command = _short(" ".join(record.command), 60)
    return f"aipower: {command}{name}  exit {record.exit_code}  {duration(record.wall_s)}{simulated}"


def _used(record: RunRecord) -> list[DeviceRecord]:
    """Devices worth a line: those that the run used, and all processors and memories."""
    return [d for d in record.devices if d.kind != "gpu" or d.run_energy_j or len(record.devices) == 1]


def _unused(record: RunRecord) -> Iterable[str]:
    shown = {device.device for device in _used(record)}
    rest = [device for device in record.devices if device.device not in shown]
    if rest:
        energy_j = sum(device.energy_j or 0.0 for device in rest)
        plural = "s" if len(rest) > 1 else ""
        yield _row("", f"{len(rest)} GPU{plural} that this run did not use drew {joules(energy_j)} meanwhile")


def _device(device: DeviceRecord) -> Iterable[str]:
    label = f"{KINDS.get(device.kind, device.kind)} {device.index}"
    if device.run_energy_j is None or device.energy_j is None:
        yield _row(label, f"{device.name}: no energy was read; see the faults")
        return
    watts = f"mean {device.mean_w:.1f} W" if device.mean_w is not None else ""
    peak = f", peak {device.peak_w:.1f} W" if device.peak_w is not None else ""
    own = f"{joules(device.run_energy_j)}  {_range(device.run_interval_j)}"
    yield _row(label, f"{own}  by this run, {METHODS[device.method]}")
    rest = f"{joules(device.idle_j or 0.0)} idle, {joules(device.other_j or 0.0)} others and unattributed"
    yield _row("", f"device {joules(device.energy_j)} ({watts}{peak}): {rest}")
    yield _row("", _short(device.name, 60))


def _estimate(record: RunRecord) -> Iterable[str]:
    energy_j, interval_j = record.estimated_j.cpu, record.estimated_interval_j.cpu
    if energy_j is not None:
        what = (
            f"{joules(energy_j)}  {_range(interval_j)}  estimated from {record.cpu_time_s:.2f} CPU s, not in the total"
        )
        yield _row("CPU", what)


def _processes(record: RunRecord) -> Iterable[str]:
    if len(record.processes) < 2:  # noqa: PLR2004 - one process is the command itself
        return
    for process in record.processes[:SHOWN_PROCESSES]:
        unsure = "" if process.identifiable else ", shared by busy time"
        yield _row("process", f"{joules(process.energy_j):>9}  {process.pid}  {_short(process.command, 44)}{unsure}")
    left = len(record.processes) - SHOWN_PROCESSES
    if left > 0:
        yield _row("", f"and {left} more")


def _faults(faults: Sequence[FaultLine]) -> Iterable[str]:
    for fault in faults[:SHOWN_FAULTS]:
        repeated = f" to {fault.last_s:.1f} s, {fault.count} times" if fault.count > 1 else ""
        what = f"{fault.device or 'sensors'}: {fault.reason} at {fault.first_s:.1f} s{repeated}"
        yield _row("fault", f"{what}: {_short(fault.detail, 60)}")
    if len(faults) > SHOWN_FAULTS:
        yield _row("", f"and {len(faults) - SHOWN_FAULTS} more in the --json record")


def _notes(record: RunRecord) -> Iterable[str]:
    if record.surviving_processes:
        yield _row(
            "note",
            f"{record.surviving_processes} of its processes still run; --wait measures until the last has ended",
        )
    if not record.complete:
        yield _row("note", "a sensor hung: the figures end before the command did; see `aipower doctor`")


def _total(record: RunRecord) -> str:
    energy_j = record.energy_j.total
    if energy_j is None:
        return _row("total", "nothing was measured")
    return _row("total", f"{joules(energy_j)}  {_range(record.interval_j.total)}  measured = {energy_j / WH_J:.4g} Wh")


def _row(label: str, text: str) -> str:
    return f"  {label:<{LABEL_WIDTH}}{_clean(text)}".rstrip()


def _range(interval_j: Interval | None) -> str:
    if interval_j is None:
        return ""
    return f"[{joules(interval_j[0])} .. {joules(interval_j[1])}]"


def _clean(text: str) -> str:
    """One line, whatever is in it: names must not play with the terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _short(text: str, width: int) -> str:
    clean = _clean(text)
    return clean if len(clean) <= width else clean[: width - 1] + "…"
