"""The table of `aipower runs` as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from aipower.runs.columns import ESTIMATED, GAP, PARTIAL, SIMULATED, Column, Fitted, fit, mark
from aipower.runs.rows import Row
from aipower.runs.words import cells, cut

STYLES: Mapping[str, str] = MappingProxyType(
    {"strong": "\x1b[1m", "faint": "\x1b[2m", "failed": "\x1b[31m", "running": "\x1b[32m", "": ""}
)
PLAIN = "\x1b[0m"
LEGEND: Mapping[str, str] = MappingProxyType(
    {
        ESTIMATED: "estimated by a model, not measured",
        PARTIAL: "not of the whole run: a sensor left",
        SIMULATED: "simulated sensors: no measurement",
    }
)


def table(rows: Sequence[Row], now_unix_s: float, *, width: int | None, colour: bool) -> str:
    """A head and a line for each row, none longer than `width` columns; None for no end of room."""
    fitted = fit(rows, now_unix_s, width)
    head = _line(
        [column.title for column in fitted.columns], fitted, ["faint" if colour else ""] * len(fitted.columns)
    )
    lines = [
        _line(texts, fitted, [_style(column, row) if colour else "" for column in fitted.columns])
        for row, texts in zip(rows, fitted.cells, strict=True)
    ]
    return "".join(f"{line}\n" for line in (head, *lines))


def legend(rows: Sequence[Row]) -> Iterable[str]:
    """What the marks at energies mean, for those that there are."""
    marks = {mark(row) for row in rows}
    return (f"{sign} {told}" for sign, told in LEGEND.items() if sign in marks)


def _style(column: Column, row: Row) -> str:
    if column.style != "state":
        return column.style
    return "failed" if row.failed else "running" if row.state == "running" else ""


def _line(texts: Sequence[str], fitted: Fitted, styles: Sequence[str]) -> str:
    drawn = map(_cell, texts, fitted.columns, fitted.widths, styles)
    return GAP.join(drawn).rstrip()


def _cell(text: str, column: Column, width: int, style: str) -> str:
    shown = cut(text, width)
    space = " " * (width - cells(shown))
    coloured = f"{STYLES[style]}{shown}{PLAIN}" if style and shown else shown
    return f"{space}{coloured}" if column.right else f"{coloured}{space}"
