"""The table of `aipower jobs`, and which of its columns a window has room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from aipower.jobs.document import Document, JobRow
from aipower.jobs.sums import summed
from aipower.record.wording import clean, joules, plus_minus
from aipower.runs.words import cells, cut, span

GAP = "  "
NOT_KNOWN = "-"
LONG_ID = 36
"""A pod's uid is shown whole, a container's id as Docker shows it."""
SHORT_ID = 12


class Column(Struct, frozen=True):
    """A column and what stands in it."""

    title: str
    cell: Callable[[JobRow], str]
    right: bool = False


def _job(row: JobRow) -> str:
    shown = row.job if len(row.job) <= LONG_ID else row.job[:SHORT_ID]
    return clean(shown) or NOT_KNOWN


def _name(row: JobRow) -> str:
    pod = f"{row.namespace}/{row.pod}".strip("/")
    return clean(row.name or pod) or NOT_KNOWN


def _kind(kind: str) -> Callable[[JobRow], str]:
    return lambda row: _energy(getattr(row.energy_j, kind))


def _energy(energy_j: float | None) -> str:
    return NOT_KNOWN if energy_j is None else joules(energy_j)


def _doubt(row: JobRow) -> str:
    return plus_minus(row.energy_j.total, row.interval_j.total) or NOT_KNOWN


def _seconds(seconds: float) -> str:
    return span(seconds) if seconds else NOT_KNOWN


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "node": Column("NODE", lambda row: clean(row.node)),
        "system": Column("SYSTEM", lambda row: clean(row.system)),
        "job": Column("JOB", _job),
        "step": Column("STEP", lambda row: clean(row.step[:SHORT_ID]) or NOT_KNOWN),
        "user": Column("USER", lambda row: clean(row.user) or NOT_KNOWN),
        "name": Column("NAME", _name),
        "energy": Column("ENERGY", lambda row: _energy(row.energy_j.total), right=True),
        "doubt": Column("95 %", _doubt, right=True),
        "gpu": Column("GPU", _kind("gpu"), right=True),
        "cpu": Column("CPU", _kind("cpu"), right=True),
        "dram": Column("DRAM", _kind("dram"), right=True),
        "held": Column("HELD", lambda row: _seconds(row.held_s), right=True),
        "unused": Column("UNUSED", lambda row: _seconds(row.unused_s), right=True),
        "state": Column("STATE", lambda row: "" if not row.job else "ended" if row.ended else "running"),
    }
)
LAYOUTS: Sequence[Sequence[str]] = (
    ("system", "job", "step", "user", "name", "energy", "doubt", "gpu", "cpu", "dram", "held", "unused", "state"),
    ("system", "job", "step", "user", "name", "energy", "doubt", "gpu", "cpu", "dram", "held", "unused"),
    ("system", "job", "step", "user", "name", "energy", "doubt", "gpu", "cpu", "held", "unused"),
    ("system", "job", "step", "user", "energy", "doubt", "held", "unused"),
    ("system", "job", "step", "user", "energy", "doubt"),
    ("job", "step", "energy", "doubt"),
    ("job", "energy"),
)
"""The richest first: names and kinds go first, the energy goes last."""


def table(document: Document, width: int | None) -> str:
    """A head, a line for each row, the one with most energy first, and the sum of several."""
    rows = sorted(document.jobs, key=lambda row: row.energy_j.total or 0.0, reverse=True)
    lines = [*rows, _sum(document)] if len(rows) > 1 else rows
    several = len(document.nodes) > 1
    fitted = [_layout(("node", *keys) if several else keys, lines) for keys in LAYOUTS]
    shown = next((one for one in fitted if width is None or _width(one) <= width), fitted[-1])
    return "".join(f"{line if width is None else cut(line, width)}\n" for line in shown)


def _layout(keys: Sequence[str], rows: Sequence[JobRow]) -> Sequence[str]:
    columns = [COLUMNS[key] for key in keys]
    drawn = [[column.title for column in columns], *([column.cell(row) for column in columns] for row in rows)]
    widths = [max(cells(line[at]) for line in drawn) for at in range(len(columns))]
    return [_line(line, columns, widths) for line in drawn]


def _line(texts: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    padded = (
        f"{' ' * (width - cells(text))}{text}" if column.right else f"{text}{' ' * (width - cells(text))}"
        for text, column, width in zip(texts, columns, widths, strict=True)
    )
    return GAP.join(padded).rstrip()


def _width(lines: Sequence[str]) -> int:
    return max(cells(line) for line in lines)


def _sum(document: Document) -> JobRow:
    uses = [use for job in document.jobs for use in job.devices]
    whole = summed(uses, document.measured)
    return JobRow(
        "", "sum", "", "", "", energy_j=whole.energy_j, interval_j=whole.interval_j, held_s=whole.held_s,
        unused_s=whole.unused_s,
    )  # fmt: skip
