"""A summary for a terminal, as JSON and as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from msgspec import to_builtins

from aipower.fleet.summary import UNSEEN, Summary, SummaryRow
from aipower.record.page import Page, Row, lay_out, paint
from aipower.record.wording import bracket, duration, joules, short
from aipower.runs.words import moment

WH_J = 3600.0
SHOWN_ROWS = 20
SHOWN_FAULTS = 5
NAME_WIDTH, JOB_WIDTH, FAULT_WIDTH = 20, 20, 160
PERCENT = 100
COLUMNS = (
    "cluster", "system", "job", "user", "name", "team", "energy_j", "energy_low_j", "energy_high_j", "gpu_j", "cpu_j",
    "dram_j", "nodes", "gpu_held_s", "gpu_unused_s",
)  # fmt: skip
NO_JOB = {
    "idle": "idle devices",
    "none": "in no job",
    "other": "jobs beyond those with series",
    UNSEEN: "left before it was scraped",
}


def to_json(summary: Summary) -> bytes:
    """One object, schema `aipower.fleet/1`."""
    told = to_builtins(summary)
    named = {"schema": told.pop("schema"), **told}
    return (json.dumps(named, indent=2, ensure_ascii=False) + "\n").encode()


def to_csv(summary: Summary) -> bytes:
    """A row for each user's part of each job; a cell is empty where nothing is known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in summary.rows:
        kinds = [row.by_kind_j.get(kind, "") for kind in ("gpu", "cpu", "dram")]
        words = [_cell(word) for word in (row.cluster, row.system, row.job, row.user, row.name, row.team)]
        held = ["" if value is None else value for value in (row.held_s, row.unused_s)]
        writer.writerow([*words, row.energy_j, *row.interval_j, *kinds, row.nodes, *held])
    return text.getvalue().encode()


def _cell(text: str) -> str:
    """A text that a spreadsheet would run as a formula is told to be one."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def render(summary: Summary, page: Page) -> str:
    """For a terminal."""
    count = len(summary.nodes)
    head = (
        f"{moment(summary.started_unix_s)} to {moment(summary.ended_unix_s)}, {count} node{'s' if count != 1 else ''}"
    )
    shown = summary.rows if page.verbose else summary.rows[:SHOWN_ROWS]
    many = len({row.cluster for row in summary.rows if row.system != UNSEEN}) > 1
    rows = [
        *(Row("" if at else "energy", _row(row, summary.energy_j, many=many)) for at, row in enumerate(shown)),
        *_left(summary.rows[len(shown) :]),
        *_faults(summary, page),
        Row(
            "total",
            f"{joules(summary.energy_j)}  {bracket(summary.interval_j)} = {summary.energy_j / WH_J:.4g} Wh",
            "strong",
        ),
        Row("note", f"scraped every {summary.resolution_s:g} s: both edges are known to within that", "dim"),
    ]
    return "\n".join([f"{paint('aipower:', 'dim', page)} {paint(head, 'strong', page)}", *lay_out(rows, page)]) + "\n"


def _row(row: SummaryRow, whole_j: float, *, many: bool) -> str:
    share = f"{PERCENT * row.energy_j / whole_j:4.1f} %" if whole_j > 0 else ""
    what = f"{row.system} {short(row.job, JOB_WIDTH)}" if row.job else _nobody(row)
    name = f" [{short(row.name, NAME_WIDTH)}]" if row.name else ""
    user = f"  {short(row.user, NAME_WIDTH)}" if row.user else ""
    nodes = f", {row.nodes} nodes" if row.nodes > 1 and row.job else ""
    where = f", {short(row.cluster, NAME_WIDTH)}" if many and row.cluster else ""
    return f"{joules(row.energy_j):>9} {share}  {what}{name}{user}{where}{nodes}{_held(row)}"


def _nobody(row: SummaryRow) -> str:
    if row.system == "none" and not row.user:
        return "unattributed"
    return NO_JOB.get(row.system, row.system)


def _held(row: SummaryRow) -> str:
    if not row.held_s or row.unused_s is None or row.unused_s < row.held_s / PERCENT:
        return ""
    return f", GPUs held for {duration(row.held_s)}, {duration(row.unused_s)} of it unused"


def _left(rows: Sequence[SummaryRow]) -> list[Row]:
    if not rows:
        return []
    energy_j = sum(row.energy_j for row in rows)
    return [Row("", f"{joules(energy_j):>9}  in {len(rows)} more; -v shows all", "dim")]


def _faults(summary: Summary, page: Page) -> list[Row]:
    shown = summary.faults if page.verbose else summary.faults[:SHOWN_FAULTS]
    rows = [Row("fault", short(f"{fault.reason}: {fault.detail}", FAULT_WIDTH), "bad") for fault in shown]
    if len(summary.faults) > len(shown):
        rows.append(Row("", f"and {len(summary.faults) - len(shown)} more; -v shows all", "bad"))
    return rows
