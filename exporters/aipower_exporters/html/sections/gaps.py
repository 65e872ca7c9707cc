"""What is not in the figures, why, and what can be done; and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping

from aipower.runrecord import FaultLine, RunRecord
from aipower_exporters.html.labels import Label, named
from aipower_exporters.html.markup import Html, foreign
from aipower_exporters.html.sections.section import section
from aipower_exporters.html.tables import Column, Row, table
from aipower_exporters.html.wording import KINDS, number


def not_measured(record: RunRecord) -> Html | None:
    """None where all was measured."""
    unknown = [
        (row.device, row.kind, f"the run's part is not known: {row.run_unknown}", "")
        for row in record.devices
        if row.energy_j is not None and row.run_energy_j is None
    ]
    found = [(row.source, row.kind, row.reason, row.remedy) for row in record.not_measured] + unknown
    if not found:
        return None
    rows: list[Row] = [
        [foreign(source), foreign(KINDS.get(kind, kind)), foreign(reason), foreign(remedy)]
        for source, kind, reason, remedy in found
    ]
    columns = [Column("source"), Column("kind"), Column("why", "prose"), Column("what can be done", "prose")]
    lead = "None of this is in the figures, and none of it was counted as zero."
    return section("not-measured", "Not measured", table("Not measured", columns, rows), lead=lead)


def faults(record: RunRecord, labels: Mapping[str, Label]) -> Html | None:
    """None where no sensor failed."""
    if not record.faults:
        return None
    columns = [
        Column("device"),
        Column("fault"),
        Column("first", "figure"),
        Column("last", "figure"),
        Column("times", "figure"),
        Column("detail", "prose"),
    ]
    rows = [_fault(row, labels) for row in record.faults]
    return section("faults", "Faults of sensors", table("Faults of sensors", columns, rows))


def _fault(row: FaultLine, labels: Mapping[str, Label]) -> Row:
    who = named(labels, row.device) if row.device else "sensors"
    times = [f"{row.first_s:.1f} s", f"{row.last_s:.1f} s", number(row.count)]
    return [foreign(who), foreign(row.reason), *times, foreign(row.detail)]
