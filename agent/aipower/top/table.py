"""The table of processes, and the accounts below it that complete the sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from aipower.model import Kind
from aipower.top.cells import harmless
from aipower.top.layout import Column, Line, Placed, Span, Style, cells, place
from aipower.top.rows import Account, ProcessRow
from aipower.top.words import UNKNOWN, energy, percent, watts

NARROW, WIDE = 40, 60
"""Below the first the command gets what its neighbours leave; from the second on a quarter is kept for it."""
KINDS: Mapping[str, Kind] = MappingProxyType({"gpu": "gpu", "cpu": "cpu", "dram": "dram"})
APART = "~"
ENDED = "x"
MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "idle": "what the bare devices draw",
        "unattributed": "what cannot be assigned",
        "other": "processes without rows of their own",
        "ended": "processes that have ended",
        "hidden": "processes that the filter hides",
        "total": "",
    }
)


def columns_of(width: int, *, runs: bool, kinds: Sequence[Kind]) -> tuple[Column, ...]:
    """The columns that there may be: that of runs where there is any, those of the kinds that are measured."""
    command = 5 if width < NARROW else 12 if width < WIDE else width // 4
    by_kind = (Column(kind, f"{kind.upper()} J", 8, 9 + number) for number, kind in enumerate(kinds))
    return (
        Column("pid", "PID", 7, 0),
        Column("user", "USER", 8, 6, right=False),
        *((Column("run", "RUN", 12, 8, right=False),) if runs else ()),
        Column("power", "W", 7, 1),
        Column("energy", "ENERGY", 8, 2),
        Column("share", "%WORK", 6, 5),
        Column("error", "±", 8, 7),
        *by_kind,
        Column("flags", "", 1, 4, right=False),
        Column("command", "COMMAND", command, 3, right=False, most=4096),
    )


def place_columns(width: int, *, runs: bool, kinds: Sequence[Kind]) -> tuple[Placed, ...]:
    """Those that fit."""
    return place(columns_of(width, runs=runs, kinds=kinds), width)


def process_line(row: ProcessRow, placed: Sequence[Placed]) -> Line:
    """One process."""
    style: Style = "dim" if row.ended else ""
    return cells(placed, [_process_cell(row, one.column.id, style) for one in placed])


def _process_cell(row: ProcessRow, column: str, style: Style) -> Span:
    if column in KINDS:
        return _kind_cell(row.sums.kinds_uj.get(KINDS[column]), style)
    return Span(TEXTS[column](row), style or EMPHASIS.get(column, ""))


def _flag(row: ProcessRow) -> str:
    return ENDED if row.ended else APART if row.together else ""


def account_line(account: Account, placed: Sequence[Placed]) -> Line:
    """One account; its name stands where processes have their command, and left of the numbers where that is cut."""
    total = account.name == "total"
    style: Style = "bold" if total else "dim"
    return cells(placed, [_account_cell(account, one, style) for one in placed])


def _account_cell(account: Account, one: Placed, style: Style) -> Span:
    match one.column.id:
        case "power":
            return Span(watts(account.sums.power_w), style)
        case "energy":
            return Span(energy(account.sums.energy_uj), style)
        case "command":
            meaning = MEANINGS.get(account.name, "")
            named = f"{account.name}: {meaning}" if meaning else account.name
            return Span(named if len(named) <= one.width else account.name, style)
        case "gpu" | "cpu" | "dram":
            return _kind_cell(account.sums.kinds_uj.get(KINDS[one.column.id]), style)
        case _:
            return Span("")


def _kind_cell(energy_uj: int | None, style: Style) -> Span:
    return Span(UNKNOWN if energy_uj is None else energy(energy_uj), style if energy_uj else "dim")


TEXTS: Mapping[str, Callable[[ProcessRow], str]] = MappingProxyType(
    {
        "pid": lambda row: str(row.pid),
        "user": lambda row: harmless(row.user),
        "run": lambda row: harmless(row.run),
        "power": lambda row: watts(row.sums.power_w),
        "energy": lambda row: energy(row.sums.energy_uj),
        "share": lambda row: percent(row.share),
        "error": lambda row: energy(row.half_uj),
        "flags": _flag,
        "command": lambda row: harmless(row.command),
    }
)
"""What is in each column of a row, but for the energies by kind."""
EMPHASIS: Mapping[str, Style] = MappingProxyType({"power": "bold", "error": "dim", "flags": "warn"})
