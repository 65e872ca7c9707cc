"""A run as one long table for pandas or R: a row for each figure. The columns are documented in docs/runs.md."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from aipower.runrecord import (
    DeviceRecord,
    Energies,
    GroupRecord,
    Interval,
    Intervals,
    PhasePart,
    PhaseRecord,
    PowerSeries,
    ProcessRecord,
    RunRecord,
)

KINDS = ("total", "gpu", "cpu", "dram")
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet would take for a formula, also in full width; text that begins so gets a `'` before it."""
PATH_SEPARATOR = "/"


COLUMNS = (
    "run_id", "section", "item", "device", "kind", "quantity", "value", "low", "high", "repeatable_low",
    "repeatable_high", "unit", "start_s", "end_s", "text",
)  # fmt: skip
Cell = str | float | None


class Ends(NamedTuple):
    """A 95 % interval, and the same without the scale of the sensors, for comparing runs on the same devices."""

    low: float | None = None
    high: float | None = None
    repeatable_low: float | None = None
    repeatable_high: float | None = None


NO_ENDS = Ends()


class Line(Struct, frozen=True, kw_only=True):
    """One figure, or one text. What was not measured has no line."""

    section: str
    quantity: str = ""
    item: str = ""
    """A device's id, a pid, a phase's path, a metric's name, a unit of work."""
    device: str = ""
    kind: str = ""
    value: float | None = None
    ends: Ends = NO_ENDS
    unit: str = ""
    span: tuple[float | None, float | None] = (None, None)
    """Seconds after the start of the run, for figures of a part of it."""
    text: str = ""


def render_csv(record: RunRecord) -> bytes:
    """The table as CSV with a head, UTF-8, lines ending in a newline."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in _lines(record):
        writer.writerow([_cell(cell) for cell in _cells(record.run_id, line)])
    return text.getvalue().encode()


def _cells(run_id: str, line: Line) -> Sequence[Cell]:
    """In the order of `COLUMNS`."""
    who = (run_id, line.section, line.item, line.device, line.kind, line.quantity)
    return (*who, line.value, *line.ends, line.unit, *line.span, line.text)


def _cell(cell: Cell) -> Cell:
    """Text without line breaks and the like, which not all readers of CSV take, and without formulas."""
    if not isinstance(cell, str):
        return cell
    plain = cell if cell.isprintable() else "".join(map(_visible, cell))
    return f"'{plain}" if plain.startswith(FORMULA) else plain


def _visible(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def _lines(record: RunRecord) -> Iterator[Line]:
    yield from _run(record)
    for device in record.devices:
        yield from _device(device)
    for process in record.processes:
        yield from _process(process)
    for group in record.indistinct:
        yield from _together(group)
    for phase in record.phases:
        yield from _phase(phase)
    kinds = {device.device: device.kind for device in record.devices}
    for series in record.power:
        yield from _power(series, kinds.get(series.device, ""))
    yield from _work(record)
    yield from _footprint(record)
    for node in record.nodes:
        yield from _energies("node", node.host, "energy", node.energy_j, node.interval_j, Intervals())
    yield from _gaps(record)


def _run(record: RunRecord) -> Iterator[Line]:
    texts = {
        "name": record.name,
        "command": shlex.join(record.command),
        "host": record.host,
        "measured_by": record.measured_by,
        "version": record.version,
        "schema": record.schema,
    }
    yield from (Line(section="run", quantity=what, text=text) for what, text in texts.items() if text)
    numbers: tuple[tuple[str, float, str], ...] = (
        ("started_unix", record.started_unix_s, "s"),
        ("wall", record.wall_s, "s"),
        ("exit_code", record.exit_code, ""),
        ("cpu_time", record.cpu_time_s, "s"),
        ("max_rss", record.max_rss_bytes, "bytes"),
        ("complete", int(record.complete), ""),
        ("simulated", int(record.simulated), ""),
    )
    if record.measured_by == "prometheus":  # metrics tell none of these
        numbers = tuple(row for row in numbers if row[0] not in {"exit_code", "cpu_time", "max_rss"})
    yield from (Line(section="run", quantity=what, value=value, unit=unit) for what, value, unit in numbers)
    yield from _energies("run", "", "energy", record.energy_j, record.interval_j, record.repeatable_interval_j)
    yield from _energies("run", "", "estimated_energy", record.estimated_j, record.estimated_interval_j, Intervals())


def _energies(
    section: str, item: str, quantity: str, energies_j: Energies, intervals_j: Intervals, repeatable_j: Intervals
) -> Iterator[Line]:
    for kind in KINDS:
        ends = _ends(getattr(intervals_j, kind), getattr(repeatable_j, kind))
        energy_j: float | None = getattr(energies_j, kind)
        if energy_j is not None:
            yield Line(section=section, item=item, kind=kind, quantity=quantity, value=energy_j, unit="J", ends=ends)


def _device(device: DeviceRecord) -> Iterator[Line]:
    whole = _ends(device.interval_j, device.repeatable_interval_j)
    own = _ends(device.run_interval_j, device.repeatable_run_interval_j)
    figures: Sequence[tuple[str, float | None, str, Ends]] = (
        ("energy", device.energy_j, "J", whole),
        ("run_energy", device.run_energy_j, "J", own),
        ("idle_energy", device.idle_j, "J", NO_ENDS),
        ("other_energy", device.other_j, "J", NO_ENDS),
        ("unattributed_energy", device.unattributed_j, "J", NO_ENDS),
        ("mean_power", device.mean_w, "W", NO_ENDS),
        ("peak_power", device.peak_w, "W", NO_ENDS),
        ("power_limit", device.power_limit_w, "W", NO_ENDS),
        ("covered", device.covered_s, "s", NO_ENDS),
        ("performance_state", device.performance_state, "", NO_ENDS),
        ("core_clock", device.core_clock_hz, "Hz", NO_ENDS),
        ("memory_clock", device.memory_clock_hz, "Hz", NO_ENDS),
    )
    whose = Line(section="device", item=device.device, device=device.device, kind=device.kind)
    for what, value, unit, ends in figures:
        if value is not None:
            yield replace(whose, quantity=what, value=value, unit=unit, ends=ends)
    texts = {"name": device.name, "index": device.index, "method": device.method, "run_unknown": device.run_unknown}
    yield from (replace(whose, quantity=what, text=text) for what, text in texts.items() if text)


def _process(process: ProcessRecord) -> Iterator[Line]:
    item, ends = str(process.pid), _ends(process.interval_j, process.repeatable_interval_j)
    yield Line(section="process", item=item, quantity="command", text=process.command)
    yield Line(section="process", item=item, quantity="energy", value=process.energy_j, unit="J", ends=ends)
    yield Line(section="process", item=item, quantity="cpu_time", value=process.cpu_time_s, unit="s")
    yield Line(section="process", item=item, quantity="identifiable", value=int(process.identifiable))


def _together(group: GroupRecord) -> Iterator[Line]:
    item, ends = " ".join(map(str, group.pids)), _ends(group.interval_j, group.repeatable_interval_j)
    whose = Line(section="together", item=item, device=group.device)
    yield replace(whose, quantity="energy", value=group.energy_j, unit="J", ends=ends)


def _gaps(record: RunRecord) -> Iterator[Line]:
    """What went wrong, and what could not be measured."""
    for fault in record.faults:
        whose = Line(section="fault", item=fault.device or "", device=fault.device or "", text=fault.detail)
        yield replace(whose, quantity=fault.reason, value=fault.count, span=(fault.first_s, fault.last_s))
    for missing in record.not_measured:
        why = "; ".join(word for word in (missing.reason, missing.remedy) if word)
        yield Line(section="not_measured", item=missing.source, kind=missing.kind, quantity="energy", text=why)


def _phase(phase: PhaseRecord) -> Iterator[Line]:
    path = PATH_SEPARATOR.join(phase.path)
    yield Line(section="phase", item=path, quantity="count", value=phase.count)
    yield Line(section="phase", item=path, quantity="wall", value=phase.wall_s, unit="s")
    yield Line(section="phase", item=path, quantity="resolved", value=int(phase.resolved))
    yield from _energies("phase", path, "energy", phase.energy_j, phase.interval_j, phase.repeatable_interval_j)
    for unit, amount in phase.work.items():
        yield Line(section="phase", item=path, quantity="work", value=amount, unit=unit)
    for part in phase.devices:
        yield from _phase_part(path, part)
    for span in phase.spans:
        yield Line(section="span", item=path, quantity="wall", value=span[1] - span[0], unit="s", span=span)


def _phase_part(path: str, part: PhasePart) -> Iterator[Line]:
    figures = (
        ("device_energy", part.energy_j, NO_ENDS),
        ("run_energy", part.run_energy_j, _ends(part.run_interval_j)),
    )
    for what, energy_j, ends in figures:
        if energy_j is not None:
            yield Line(
                section="phase", item=path, device=part.device, quantity=what, value=energy_j, unit="J", ends=ends
            )


def _power(series: PowerSeries, kind: str) -> Iterator[Line]:
    whose = Line(section="power", item=series.device, device=series.device, kind=kind, unit="W")
    for what, powers_w in (("power", series.power_w), ("run_power", series.run_power_w)):
        for index, power_w in enumerate(powers_w):
            if power_w is not None:
                span = (index * series.step_s, (index + 1) * series.step_s)
                yield replace(whose, quantity=what, value=power_w, span=span)


def _work(record: RunRecord) -> Iterator[Line]:
    yield from (Line(section="metric", item=k, quantity="metric", value=v) for k, v in record.metrics.items())
    yield from (Line(section="work", item=k, quantity="work", value=v, unit=k) for k, v in record.work.items())
    for one in record.per:
        ends = _ends(one.interval_j, one.repeatable_interval_j)
        unit = f"J/{one.unit}"
        yield Line(section="work", item=one.unit, quantity="energy_per_unit", value=one.energy_j, unit=unit, ends=ends)


def _footprint(record: RunRecord) -> Iterator[Line]:
    if carbon := record.carbon:
        ends = _ends(carbon.interval_g)
        year = f", {carbon.year}" if carbon.year else ""
        intensity = f"{carbon.zone or 'fixed'}: {carbon.intensity_g_per_kwh:g} g/kWh"
        told = f"{intensity}, PUE {carbon.pue:g}, {carbon.source}{year}"
        yield Line(section="footprint", quantity="co2e", value=carbon.co2e_g, unit="g", text=told, ends=ends)
    if cost := record.cost:
        ends = _ends(cost.interval)
        told = f"{cost.price_per_kwh:g} {cost.currency}/kWh, PUE {cost.pue:g}"
        yield Line(section="footprint", quantity="cost", value=cost.amount, unit=cost.currency, text=told, ends=ends)


def _ends(interval: Interval | None, repeatable: Interval | None = None) -> Ends:
    return Ends(*(interval or (None, None)), *(repeatable or (None, None)))
