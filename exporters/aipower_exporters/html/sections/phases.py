"""Energy by phase: the parts of the run that the program itself has named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aipower.runrecord import Interval, PhasePart, PhaseRecord, RunRecord
from aipower_exporters.html.bars import Part, Scale, Whisker, bar, scale_for
from aipower_exporters.html.labels import Label, named
from aipower_exporters.html.markup import Html, foreign, join, tag
from aipower_exporters.html.sections.section import section
from aipower_exporters.html.tables import Column, Row, table
from aipower_exporters.html.wording import bracket, duration, joules, number, percent_of, plus_minus, singular

OUTSIDE = "outside of all phases"
DEEPEST = 6
"""Deeper ones are not moved further in."""
UNRESOLVED = (
    "“By time alone”: the phase changes with others faster than the sensors look, "
    "so that its energy rests on the time spent in it and not on what was measured in it."
)
NESTED = "A phase includes those within it, so that only the outermost ones and the time outside sum to the run."


def phases(record: RunRecord, labels: Mapping[str, Label]) -> Html | None:
    """None for a program that names no phases."""
    rows = _in_order(record.phases)
    if not rows:
        return None
    scale = scale_for(high for row in rows for high in (row.energy_j.total or 0.0, *(row.interval_j.total or ())))
    columns = [
        Column("phase"),
        Column("entered", "figure"),
        Column("time", "figure"),
        Column("energy", "figure"),
        Column("95 % interval", "figure interval"),
        Column("share", "figure"),
        Column(scale.axis(), "bar-cell"),
    ]
    cells = [_phase(row, scale, record.energy_j.total) for row in rows]
    return section(
        "phases",
        "Energy by phase",
        table("Energy by phase", columns, cells, "bars"),
        _more(rows, labels),
        lead=_lead(rows),
    )


def _in_order(rows: Sequence[PhaseRecord]) -> list[PhaseRecord]:
    """Inner ones after theirs outer one, siblings as the record has them, the time outside at the end."""
    place = {tuple(row.path): order for order, row in enumerate(rows)}

    def key(row: PhaseRecord) -> tuple[bool, list[int]]:
        ends = range(1, len(row.path) + 1)
        return not row.path, [place.get(tuple(row.path[:end]), len(rows)) for end in ends]

    return sorted(rows, key=key)


def _lead(rows: Iterable[PhaseRecord]) -> str | None:
    found = [*rows]
    nested = NESTED if any(len(row.path) > 1 for row in found) else ""
    unresolved = UNRESOLVED if not all(row.resolved for row in found) else ""
    return " ".join(word for word in (nested, unresolved) if word) or None


def _phase(row: PhaseRecord, scale: Scale, whole_j: float | None) -> Row:
    energy_j, interval_j = row.energy_j.total, row.interval_j.total
    parts = [Part(energy_j, "run" if row.resolved else "run unsure")] if energy_j else []
    drawn = bar(scale, parts, [Whisker(interval_j)] if interval_j else [])
    count = number(row.count) if row.path else ""
    figures = [joules(energy_j), bracket(interval_j), percent_of(energy_j, whole_j)]
    return [join([_name(row), *_work(row)]), count, duration(row.wall_s), *figures, drawn]


def _name(row: PhaseRecord) -> Html:
    """Inner phases are moved in for the eye; the ear gets the outer names."""
    if not row.path:
        return tag("span", OUTSIDE, class_="quiet")
    *outer, name = row.path
    before = tag("span", foreign(" / ".join(outer)), " / ", class_="unseen") if outer else None
    unsure = None if row.resolved else tag("span", "by time alone", class_="badge")
    style = f"depth-{_depth(row)}" if outer else None
    return tag("span", before, foreign(name), " ", unsure, class_=style)


def _depth(row: PhaseRecord) -> int:
    return min(max(0, len(row.path) - 1), DEEPEST)


def _work(row: PhaseRecord) -> Iterable[Html]:
    style = f"depth-{_depth(row)}" if _depth(row) else None
    return (tag("small", foreign(text), class_=style) for text in _works(row))


def _works(row: PhaseRecord) -> Iterable[str]:
    energy_j, interval_j = row.energy_j.total, row.interval_j.total
    for unit, amount in row.work.items():
        done = f"{number(amount)} {unit}"
        if energy_j is None or amount <= 0:
            yield done
        else:
            yield f"{joules(energy_j / amount)}/{singular(unit)} {bracket(_divided(interval_j, amount))} for {done}"


def _divided(interval_j: Interval | None, amount: float) -> Interval | None:
    return (interval_j[0] / amount, interval_j[1] / amount) if interval_j else None


def _more(rows: Sequence[PhaseRecord], labels: Mapping[str, Label]) -> Html | None:
    cells = [_part(row, part, labels) for row in rows for part in row.devices]
    kinds = [_kind(row) for row in rows]
    columns = [Column("phase"), *(Column(title, "figure") for title in ("GPU", "CPU", "DRAM", "comparable within"))]
    by_kind = table("Energy of the run by phase and kind of device", columns, kinds)
    by_device = _by_device(cells) if cells else None
    return tag("details", tag("summary", "By kind and device"), by_kind, by_device, class_="print-open")


def _kind(row: PhaseRecord) -> Row:
    found = ((row.energy_j.gpu, row.interval_j.gpu), (row.energy_j.cpu, row.interval_j.cpu))
    pairs = (*found, (row.energy_j.dram, row.interval_j.dram))
    figures = [
        f"{joules(energy_j)} {bracket(interval_j)}".strip() if energy_j is not None else ""
        for energy_j, interval_j in pairs
    ]
    return [foreign(_full(row)), *figures, plus_minus(row.energy_j.total, row.repeatable_interval_j.total)]


def _by_device(cells: Sequence[Row]) -> Html:
    columns = [
        Column("phase"),
        Column("device"),
        Column("by this run", "figure"),
        Column("95 % interval", "figure interval"),
        Column("whole device", "figure"),
    ]
    return table("Energy by phase and device", columns, cells)


def _part(row: PhaseRecord, part: PhasePart, labels: Mapping[str, Label]) -> Row:
    figures = [joules(part.run_energy_j), bracket(part.run_interval_j), joules(part.energy_j)]
    return [foreign(_full(row)), foreign(named(labels, part.device)), *figures]


def _full(row: PhaseRecord) -> str:
    return " / ".join(row.path) or OUTSIDE
