"""Where the run belongs: its job, its series, its nodes."""

from __future__ import annotations

from collections.abc import Iterable

from aipower.runrecord import JobRecord, NodeRecord, RunRecord
from aipower_exporters.html.bars import Part, Whisker, bar, scale_for
from aipower_exporters.html.markup import Html, code, foreign, join, tag
from aipower_exporters.html.sections.section import section
from aipower_exporters.html.tables import Column, Row, facts, table
from aipower_exporters.html.wording import bracket, joules

SHOWN = 64
"""Ranks and ids beyond these are in the record."""


def origin(record: RunRecord) -> Html | None:
    """None for a run that is nobody's part and has no parts."""
    found = [*_series(record), *_merged(record)]
    parts = [facts(found) if found else None, _nodes(record.nodes), _job(record.job)]
    return section("origin", "Job and nodes", *parts) if any(parts) else None


def _series(record: RunRecord) -> Iterable[tuple[str, Html]]:
    if record.series:
        index = f"repetition {record.series.index} of {record.series.count}" if record.series.index else "warm-up"
        yield "series", join([f"{index}, ", code(record.series.id)])


def _merged(record: RunRecord) -> Iterable[tuple[str, Html]]:
    if record.merged_from:
        yield "merged from", join([f"{len(record.merged_from)} runs: ", code(_some(record.merged_from))])


def _some(words: list[str]) -> str:
    left = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {left} more" if left > 0 else "")


def _nodes(nodes: list[NodeRecord]) -> Html | None:
    if not nodes:
        return None
    scale = scale_for(high for row in nodes for high in (row.energy_j.total or 0.0, *(row.interval_j.total or ())))
    columns = [
        Column("node"),
        Column("ranks"),
        Column("energy", "figure"),
        Column("95 % interval", "figure interval"),
        *(Column(title, "figure") for title in ("GPU", "CPU", "DRAM")),
        Column(scale.axis(), "bar-cell"),
    ]
    rows: list[Row] = [[*_node(row), bar(scale, *_drawn(row))] for row in nodes]
    return join([tag("h3", f"{len(nodes)} nodes"), table("Energy by node", columns, rows, "bars")])


def _node(row: NodeRecord) -> Row:
    total, found = row.energy_j.total, (row.energy_j.gpu, row.energy_j.cpu, row.energy_j.dram)
    kinds = [joules(energy_j) if energy_j is not None else "" for energy_j in found]
    name = join([foreign(row.host), tag("small", code(_some(row.run_ids)))])
    return [name, _some([str(rank) for rank in row.ranks]), joules(total), bracket(row.interval_j.total), *kinds]


def _drawn(row: NodeRecord) -> tuple[list[Part], list[Whisker]]:
    total, interval_j = row.energy_j.total, row.interval_j.total
    return [Part(total, "run")] if total else [], [Whisker(interval_j)] if interval_j else []


def _job(job: JobRecord | None) -> Html | None:
    if job is None:
        return None
    rank = f"{job.rank} of {job.ranks}" if job.rank is not None and job.ranks is not None else job.rank
    found = [
        ("system", job.system),
        ("job", job.id),
        ("node", job.node),
        ("step", job.step),
        ("rank", "" if rank is None else str(rank)),
        ("local rank", "" if job.local_rank is None else str(job.local_rank)),
        ("counts the node", "yes, for all ranks on it" if job.leader else "no, another rank on it does"),
    ]
    variables = tag("details", tag("summary", "Variables"), _variables(job)) if job.variables else None
    return join(
        [tag("h3", "Job"), facts((name, foreign(value) if value else None) for name, value in found), variables]
    )


def _variables(job: JobRecord) -> Html:
    rows: list[Row] = [[code(name), code(value)] for name, value in job.variables.items()]
    return table("Variables of the job", [Column("variable"), Column("value")], rows)
