"""The columns of `aipower runs`, and which of them a window has room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from aipower.footprint.units import mass
from aipower.record.wording import bracket, clean, joules, plus_minus
from aipower.runs.rows import Row
from aipower.runs.words import cells, moment, short_moment, span, watts
from aipower.store.finding import short_id

GAP = "  "
NOT_KNOWN = "-"
ESTIMATED, PARTIAL, SIMULATED = "~", "!", "*"


class Column(Struct, frozen=True):
    """A column and what stands in it."""

    title: str
    cell: Callable[[Row, float], str]
    """Takes the time of the look as well, in Unix seconds."""
    right: bool = False
    least: int | None = None
    """What it may be cut to, in columns of the terminal; None for what is not to be cut."""
    style: str = ""
    """`strong`, `faint`, or `state`: by what became of the run."""


def _exit(row: Row, _now_unix_s: float) -> str:
    return str(row.summary.exit_code) if row.summary else row.state


def _name(row: Row, _now_unix_s: float) -> str:
    return clean(f"{row.name} {_part(row)}".strip())


def _label(row: Row, _now_unix_s: float) -> str:
    """The name or else the command; which part of a series it is goes where it is not cut off."""
    return clean(f"{row.name} {_part(row)}".strip() if row.name else f"{_part(row)} {row.command}".strip())


def _part(row: Row) -> str:
    """What it is in a series, `2/5`, or of what it was merged."""
    summary = row.summary
    if summary and summary.series:
        one = summary.series
        return f"{one.index}/{one.count}" if one.index else "warm-up"
    return f"({len(summary.merged_from)} parts)" if summary and summary.merged_from else ""


def _time(row: Row, now_unix_s: float) -> str:
    if row.summary:
        return span(row.summary.wall_s)
    return span(now_unix_s - row.started_unix_s) if row.state == "running" else NOT_KNOWN


def _energy(row: Row, _now_unix_s: float) -> str:
    if row.summary is None:
        return NOT_KNOWN
    measured_j, estimated_j = row.summary.energy_j.total, row.summary.estimated_j.total
    if measured_j is not None:
        return f"{mark(row)}{joules(measured_j)}"
    return NOT_KNOWN if estimated_j is None else f"{mark(row)}{joules(estimated_j)}"


def mark(row: Row) -> str:
    """What there is to know about an energy before one uses it."""
    if row.summary is None:
        return ""
    if row.summary.simulated:
        return SIMULATED
    if row.summary.energy_j.total is None:
        return "" if row.summary.estimated_j.total is None else ESTIMATED
    return "" if row.summary.complete else PARTIAL


def _plus_minus(row: Row, _now_unix_s: float) -> str:
    return plus_minus(row.summary.energy_j.total, row.summary.interval_j.total) if row.summary else ""


def _interval(row: Row, _now_unix_s: float) -> str:
    return bracket(row.summary.interval_j.total) if row.summary else ""


def _mean(row: Row, _now_unix_s: float) -> str:
    mean_w = row.summary.mean_w if row.summary else None
    return NOT_KNOWN if mean_w is None else watts(mean_w)


def _co2(row: Row, _now_unix_s: float) -> str:
    return mass(row.summary.carbon.co2e_g) if row.summary and row.summary.carbon else ""


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "id": Column("ID", lambda row, _: short_id(row.run_id), style="strong"),
        "full": Column("STARTED", lambda row, _: moment(row.started_unix_s)),
        "when": Column("STARTED", lambda row, now_s: short_moment(row.started_unix_s, now_s)),
        "host": Column("HOST", lambda row, _: clean(row.host), least=8),
        "name": Column("NAME", _name, least=10),
        "command": Column("COMMAND", lambda row, _: clean(row.command), least=24),
        "label": Column("RUN", _label, least=8),
        "time": Column("TIME", _time, right=True),
        "exit": Column("EXIT", _exit, right=True, style="state"),
        "energy": Column("ENERGY", _energy, right=True, style="strong"),
        "plus_minus": Column("95 %", _plus_minus, right=True, style="faint"),
        "interval": Column("95 % INTERVAL", _interval, style="faint"),
        "mean": Column("MEAN", _mean, right=True),
        "co2": Column("CO2e", _co2, right=True),
    }
)
LAYOUTS: Sequence[Sequence[str]] = (
    ("id", "full", "host", "name", "command", "time", "exit", "energy", "interval", "mean", "co2"),
    ("id", "full", "name", "command", "time", "exit", "energy", "interval", "mean", "co2"),
    ("id", "when", "name", "command", "time", "exit", "energy", "interval", "mean"),
    ("id", "when", "name", "command", "time", "exit", "energy", "plus_minus", "mean"),
    ("id", "when", "name", "command", "time", "exit", "energy", "plus_minus"),
    ("id", "when", "label", "time", "exit", "energy", "plus_minus"),
    ("id", "label", "time", "exit", "energy", "plus_minus"),
    ("id", "label", "exit", "energy"),
    ("id", "energy"),
)
"""The richest first. Names go before figures, and the energy and how to ask for more go last."""
OPTIONAL = ("host", "name", "co2")
"""Left out where they say nothing: one host, no names."""


class Fitted(Struct, frozen=True):
    """The columns that there is room for, their widths and their cells, row by row."""

    columns: Sequence[Column]
    widths: Sequence[int]
    cells: Sequence[Sequence[str]]


def fit(rows: Sequence[Row], now_unix_s: float, width: int | None) -> Fitted:
    """The richest layout that `width` columns of a terminal have room for; None for no end of room."""
    drawn = {key: [column.cell(row, now_unix_s) for row in rows] for key, column in COLUMNS.items()}
    told = {key for key in COLUMNS if key not in OPTIONAL or _tells(key, drawn[key])}
    layouts = [[key for key in layout if key in told] for layout in LAYOUTS]
    keys = next((keys for keys in layouts if width is None or _least(keys, drawn) <= width), layouts[-1])
    widths: Sequence[int] = [_natural(key, drawn[key]) for key in keys]
    if width is not None:
        widths = _shrunk([COLUMNS[key] for key in keys], widths, width)
    return Fitted([COLUMNS[key] for key in keys], widths, list(zip(*(drawn[key] for key in keys), strict=True)))


def _tells(key: str, drawn: Sequence[str]) -> bool:
    return len(set(drawn)) > 1 if key == "host" else any(drawn)


def _natural(key: str, drawn: Sequence[str]) -> int:
    return max(cells(COLUMNS[key].title), *map(cells, drawn), 0)


def _least(keys: Sequence[str], drawn: Mapping[str, Sequence[str]]) -> int:
    """Columns of the terminal that a layout needs."""
    natural = ((COLUMNS[key].least, _natural(key, drawn[key])) for key in keys)
    needed = sum(wide if least is None else min(least, wide) for least, wide in natural)
    return needed + len(GAP) * (len(keys) - 1)


def _shrunk(columns: Sequence[Column], widths: Sequence[int], width: int) -> Sequence[int]:
    """The widths with what is too much taken from those that may be cut, always from the widest."""
    found = list(widths)
    for _ in range(sum(widths) + len(GAP) * (len(columns) - 1) - width):
        spare = [index for index, column in enumerate(columns) if found[index] > _floor(column, found[index])]
        if not spare:
            break
        found[max(spare, key=lambda index: found[index])] -= 1
    return found


def _floor(column: Column, wide: int) -> int:
    return wide if column.least is None else column.least
