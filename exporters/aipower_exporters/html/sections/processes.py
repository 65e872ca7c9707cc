"""Energy by process, and sums of processes that nothing tells apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aipower.runrecord import GroupRecord, ProcessRecord, RunRecord
from aipower_exporters.html.bars import Part, Scale, Whisker, bar, scale_for
from aipower_exporters.html.labels import Label, named
from aipower_exporters.html.markup import Html, code, foreign, join, tag
from aipower_exporters.html.sections.section import section
from aipower_exporters.html.tables import Column, Row, table
from aipower_exporters.html.wording import bracket, duration, joules, percent_of, plus_minus

FIRST = 20
"""So many stand open; the rest is a click away."""
PIDS = 40


def processes(record: RunRecord, labels: Mapping[str, Label]) -> Html | None:
    """None where no process of the run used energy that is known."""
    if not record.processes:
        return None
    scale = scale_for(high for row in record.processes for high in (row.energy_j, *row.interval_j))
    first, rest = record.processes[:FIRST], record.processes[FIRST:]
    parts = [_table("Energy by process", first, scale, record), _rest(rest, scale, record), _together(record, labels)]
    return section("processes", "Energy by process", *parts, lead=_lead(record.processes))


def _lead(rows: Sequence[ProcessRecord]) -> str | None:
    """What `never seen apart` means, where it stands."""
    if all(row.identifiable for row in rows):
        return None
    return (
        "A process marked “never seen apart” always shared a device with others at work. "
        "Its part rests on busy time alone and may be 40 % off; sums of such processes are known far better."
    )


def _rest(rows: Sequence[ProcessRecord], scale: Scale, record: RunRecord) -> Html | None:
    if not rows:
        return None
    energy_j = sum(row.energy_j for row in rows)
    title = f"{len(rows)} more, {joules(energy_j)} together"
    return tag("details", tag("summary", title), _table("Energy by process, the rest", rows, scale, record))


def _table(title: str, rows: Sequence[ProcessRecord], scale: Scale, record: RunRecord) -> Html:
    columns = [
        Column("process"),
        Column("energy", "figure"),
        Column("95 % interval", "figure interval"),
        Column("share", "figure"),
        Column("CPU time", "figure"),
        Column(scale.axis(), "bar-cell"),
    ]
    return table(title, columns, [_process(row, scale, record.energy_j.total) for row in rows], "bars")


def _process(row: ProcessRecord, scale: Scale, whole_j: float | None) -> Row:
    unsure = None if row.identifiable else tag("span", "never seen apart", class_="badge")
    name = join([tag("span", f"{row.pid}", class_="pid"), " ", code(row.command), " ", unsure])
    style = "run" if row.identifiable else "run unsure"
    drawn = bar(scale, [Part(row.energy_j, style)], [Whisker(row.interval_j)])
    share = percent_of(row.energy_j, whole_j)
    return [name, joules(row.energy_j), bracket(row.interval_j), share, duration(row.cpu_time_s), drawn]


def _together(record: RunRecord, labels: Mapping[str, Label]) -> Html | None:
    if not record.indistinct:
        return None
    scale = scale_for(high for row in record.indistinct for high in (row.energy_j, *row.interval_j))
    columns = [
        Column("processes"),
        Column("energy of all", "figure"),
        Column("95 % interval", "figure interval"),
        Column("comparable within", "figure"),
        Column(scale.axis(), "bar-cell"),
    ]
    rows = [_group(row, labels, scale) for row in record.indistinct]
    return join([tag("h3", "Together"), table("Processes that nothing tells apart", columns, rows, "bars")])


def _group(row: GroupRecord, labels: Mapping[str, Label], scale: Scale) -> Row:
    what = f"{len(row.pids)} processes that nothing tells apart on {named(labels, row.device)}"
    left = len(row.pids) - PIDS
    pids = ", ".join(str(pid) for pid in row.pids[:PIDS]) + (f" and {left} more" if left > 0 else "")
    name = join([foreign(what), tag("small", pids)])
    off = plus_minus(row.energy_j, row.repeatable_interval_j)
    drawn = bar(scale, [Part(row.energy_j, "run")], [Whisker(row.interval_j)])
    return [name, joules(row.energy_j), bracket(row.interval_j), off, drawn]
