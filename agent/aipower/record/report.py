"""The report of a run for a terminal: a pure function from the record to text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aipower.record.device_lines import KINDS, device_rows, labels_of, room_for, unused_rows, used_devices
from aipower.record.page import Page, Row, lay_out, paint
from aipower.record.story_rows import phase_rows, power_rows, work_rows
from aipower.record.wording import bracket, duration, joules, short
from aipower.runrecord import DeviceRecord, FaultLine, Missing, RunRecord

SHOWN_PROCESSES = 5
SHOWN_FAULTS = 5
SHOWN_NODES = 8
SHOWN_EQUIVALENTS = 1
FAULT_WIDTH = 160
"""Wide enough for a driver's words and the remedy after them."""
MOST_COMMAND, LEAST_COMMAND = 60, 16
"""Characters of a command line: as it is written where there is no terminal, and less than which says nothing."""
WH_J = 3600.0
LARGE_J = 3.6e6
"""A kilowatt-hour."""
FEWEST_PROCESSES = 2
"""One process is the command itself."""


def render(record: RunRecord, page: Page | None = None, *, verbose: bool = False) -> str:
    """The report for `page`, ending with a newline; `verbose` is for who has no page."""
    page = page or Page(verbose=verbose)
    labels = labels_of(record.devices)
    used = used_devices(record)
    room = room_for(len(used), page)
    rows = [
        *(row for device in used for row in device_rows(device, labels[device.device], record, page, room)),
        *_kinds(record, used),
        *unused_rows(record),
        *_estimate(record),
        *_missing(record.not_measured),
        *power_rows(record, used, labels, page),
        *phase_rows(record, page),
        *_processes(record, page),
        *_nodes(record),
        *_faults(record.faults, labels),
        *_notes(record),
        *work_rows(record),
        _total(record, labels),
        *_footprint(record, page),
        *_next(record, page),
    ]
    return "\n".join([*_headline(record, page), *lay_out(rows, page)]) + "\n"


def _headline(record: RunRecord, page: Page) -> Iterable[str]:
    name = f" [{short(record.name, 40)}]" if record.name else ""
    series = f"  {record.series.index} of {record.series.count}" if record.series and record.series.index else ""
    ended = "" if record.measured_by == "prometheus" else f"exit {record.exit_code}  "
    facts = f"{ended}{duration(record.wall_s)}{series}"
    room = page.width - len(name) - len(facts) - len("aipower:  ") - 2 if page.width else MOST_COMMAND
    apart = room < LEAST_COMMAND
    command = short(" ".join(record.command), page.width - len("aipower: ") if apart else room)
    title = f"{paint('aipower:', 'dim', page)} {paint(command, 'strong', page)}"
    if apart:
        yield title
        yield from lay_out([Row("", f"{name} {facts}".strip())], page)
    else:
        yield f"{title}{name}  {facts}"
    if record.simulated:
        yield paint("  SIMULATED SENSORS: no measurement", "warn", page)


def _kinds(record: RunRecord, used: Sequence[DeviceRecord]) -> Iterable[Row]:
    """The sum of each kind of which several devices have a row."""
    for kind, name in KINDS.items():
        energy_j: float | None = getattr(record.energy_j, kind)
        count = sum(device.kind == kind for device in used)
        if energy_j is not None and count > 1:
            bounds = bracket(getattr(record.interval_j, kind))
            yield Row(f"all {name}", f"{joules(energy_j)}  {bounds}  by this run, of {count} devices")


def _estimate(record: RunRecord) -> Iterable[Row]:
    energy_j, interval_j = record.estimated_j.cpu, record.estimated_interval_j.cpu
    if energy_j is not None:
        basis = f"estimated from {duration(record.cpu_time_s)} of CPU time, not in the total"
        yield Row("CPU", f"{joules(energy_j)}  {bracket(interval_j)}  {basis}")


def _missing(not_measured: Sequence[Missing]) -> Iterable[Row]:
    """A row for each reason, however many sources it hit."""
    sources: dict[tuple[str, str], list[str]] = {}
    for missing in not_measured:
        sources.setdefault((missing.reason, missing.remedy), []).append(missing.source)
    for (reason, remedy), names in sources.items():
        what = f"{' and '.join(names)} not measured: {reason}"
        yield Row("", f"{what}; {remedy}" if remedy else what, "warn")


def _processes(record: RunRecord, page: Page) -> Iterable[Row]:
    if len(record.processes) < FEWEST_PROCESSES:
        return
    shown = record.processes if page.verbose else record.processes[:SHOWN_PROCESSES]
    for process in shown:
        unsure = "" if process.identifiable else ", never seen apart"
        text = f"{joules(process.energy_j):>9}  {process.pid}  {short(process.command, 44)}{unsure}"
        yield Row("process", text, "dim" if not process.identifiable else "plain")
    left = len(record.processes) - len(shown)
    if left > 0:
        yield Row("", f"and {left} more; -v shows all", "dim")
    labels = labels_of(record.devices)
    for group in record.indistinct:
        whose = f"{len(group.pids)} processes that nothing tells apart on {labels.get(group.device, group.device)}"
        yield Row("together", f"{joules(group.energy_j):>9}  {bracket(group.interval_j)}  {whose}")


def _nodes(record: RunRecord) -> Iterable[Row]:
    """Of a run that was merged from several."""
    for at, node in enumerate(record.nodes[:SHOWN_NODES]):
        energy = joules(node.energy_j.total) if node.energy_j.total is not None else "?"
        ranks = f", {len(node.ranks)} ranks" if node.ranks else ""
        bounds = bracket(node.interval_j.total)
        yield Row("nodes" if at == 0 else "", f"{energy:>9}  {bounds}  {short(node.host, 40)}{ranks}")
    if len(record.nodes) > SHOWN_NODES:
        yield Row("", f"and {len(record.nodes) - SHOWN_NODES} more nodes", "dim")


def _faults(faults: Sequence[FaultLine], labels: Mapping[str, str]) -> Iterable[Row]:
    for fault in faults[:SHOWN_FAULTS]:
        repeated = f" to {fault.last_s:.1f} s, {fault.count} times" if fault.count > 1 else ""
        who = labels.get(fault.device, fault.device) if fault.device else "sensors"
        what = f"{who}: {fault.reason} at {fault.first_s:.1f} s{repeated}"
        yield Row("fault", f"{what}: {short(fault.detail, FAULT_WIDTH)}" if fault.detail else what, "bad")
    if len(faults) > SHOWN_FAULTS:
        yield Row("", f"and {len(faults) - SHOWN_FAULTS} more in the --json record", "bad")


def _notes(record: RunRecord) -> Iterable[Row]:
    if record.surviving_processes:
        yield Row(
            "note",
            f"{record.surviving_processes} of its processes still run; --wait measures until the last has ended",
        )
    if record.job is not None and not record.job.leader:
        yield Row("note", "another rank counts the whole devices of this node; `aipower merge` makes one run of all")
    if any(fault.reason == "hung" for fault in record.faults):
        yield Row("note", "a sensor hung: the figures end before the command did; see `aipower doctor`", "warn")
    elif not record.complete:
        yield Row("note", "the figures do not cover the whole run", "warn")


def _total(record: RunRecord, labels: Mapping[str, str]) -> Row:
    energy_j = record.energy_j.total
    if energy_j is None:
        known = any(device.energy_j is not None for device in record.devices)
        return Row("total", "the run's part is not known" if known else "nothing was measured", "strong")
    own = f"{joules(energy_j)}  {bracket(record.interval_j.total)}  measured = {energy_j / WH_J:.4g} Wh"
    without = [labels[d.device] for d in record.devices if d.run_energy_j is None]
    return Row("total", f"{own}, without {', '.join(without)}" if without else own, "strong")


def _footprint(record: RunRecord, page: Page) -> Iterable[Row]:
    """Cost and carbon, where they are known."""
    if not (record.carbon or record.cost or record.equivalents):
        return []
    from aipower.footprint.words import footprint_rows  # noqa: PLC0415 - most runs have none

    return [Row(label, text) for label, text in footprint_rows(record, _equivalents(record, page))]


def _equivalents(record: RunRecord, page: Page) -> int:
    """How many are worth a line: a small energy is no more vivid as a cup of tea."""
    large = (record.energy_j.total or 0.0) >= LARGE_J
    return SHOWN_EQUIVALENTS if page.verbose or large else 0


def _next(record: RunRecord, page: Page) -> Iterable[Row]:
    """What one may want to type now."""
    if not page.saved:
        return
    word = record.run_id.rpartition("-")[2]
    job = record.job
    if job is not None and job.id and (job.ranks or 1) > 1 and not record.merged_from:
        yield Row("next", f"aipower merge --job {job.id} makes one run of all ranks", "dim")
        return
    if record.devices:
        yield Row("next", f"aipower report {word} --html report.html", "dim")
    else:
        yield Row("next", "aipower doctor says what this machine can measure", "dim")
