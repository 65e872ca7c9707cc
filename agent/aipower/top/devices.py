"""The table of devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from aipower.top.cells import harmless
from aipower.top.head import label
from aipower.top.layout import Column, Line, Placed, Span, Style, cells, heading, place
from aipower.top.rows import DeviceRow
from aipower.top.words import UNKNOWN, energy, part_of, percent, watts

COLUMNS = (
    Column("device", "DEVICE", 7, 0, right=False),
    Column("power", "W", 8, 1),
    Column("bar", "", 8, 3, right=False, most=30),
    Column("full", "OF", 10, 10, right=False),
    Column("mean", "MEAN W", 8, 4),
    Column("energy", "ENERGY", 8, 2),
    Column("idle", "IDLE%", 5, 5),
    Column("processes", "PROC%", 5, 6),
    Column("other", "OTHER%", 6, 9),
    Column("unattributed", "UNATT%", 6, 7),
    Column("method", "METHOD", 10, 8, right=False),
    Column("name", "NAME", 12, 11, right=False, most=48),
)
HIGH, MIDDLE = 0.85, 0.6
"""Of a bar, from where on it is red or yellow: only where a limit is known."""
FULL, EMPTY = "█", "·"


def device_lines(rows: Sequence[DeviceRow], width: int, most: int, scope: str | None) -> list[Line]:
    """A heading and a line for each of `rows`, `most` at most; the one of `scope` is marked."""
    placed = place(COLUMNS, width)
    lines = [heading(placed, width)]
    if len(rows) > most:
        rows, rest = _with_chosen(rows, most - 1, scope)
        lines += [_line(row, placed, scope) for row in rows]
        known = [row.power_w for row in rest if row.power_w is not None]
        lines.append(
            (Span(f"{len(rest)} more devices, {watts(sum(known) if known else None)} W; d shows them", "dim"),)
        )
        return lines
    return lines + [_line(row, placed, scope) for row in rows]


def _with_chosen(rows: Sequence[DeviceRow], most: int, scope: str | None) -> tuple[list[DeviceRow], list[DeviceRow]]:
    """The first of `rows`, among them the one of `scope`; and the others."""
    first = sorted(rows, key=lambda row: row.device.id != scope)[: max(0, most)]
    return [row for row in rows if row in first], [row for row in rows if row not in first]


def _line(row: DeviceRow, placed: Sequence[Placed], scope: str | None) -> Line:
    spans = [CELLS[one.column.id](row, one.width) for one in placed]
    if row.device.id == scope:
        spans[0] = replace(spans[0], style="chosen")
    return cells(placed, spans)


def _power(row: DeviceRow, _width: int) -> Span:
    return Span(watts(row.power_w)) if row.up else Span("fault", "bad")


def _full(row: DeviceRow, _width: int) -> Span:
    return Span(f"{'limit' if row.limited else 'max'} {row.full_w:.0f}" if row.full_w else "", "dim")


def _method(row: DeviceRow, _width: int) -> Span:
    return Span(row.method if row.summed else f"{row.method} *", "warn" if row.method == "estimated" else "")


def _part(row: DeviceRow, part_uj: int) -> Span:
    share = part_of(part_uj, row.energy_uj)
    return Span(percent(share), "dim" if share is None else "")


def _bar(row: DeviceRow, width: int) -> Span:
    if row.power_w is None or not row.full_w:
        return Span("" if row.up else UNKNOWN, "dim")
    part = min(1.0, max(0.0, row.power_w / row.full_w))
    filled = round(part * width)
    style: Style = "good"
    if row.limited:
        style = "bad" if part >= HIGH else "warn" if part >= MIDDLE else "good"
    return Span(FULL * filled + EMPTY * (width - filled), style)


CELLS: Mapping[str, Callable[[DeviceRow, int], Span]] = MappingProxyType(
    {
        "device": lambda row, _: Span(label(row), "bold"),
        "power": _power,
        "bar": _bar,
        "full": _full,
        "mean": lambda row, _: Span(watts(row.mean_w)),
        "energy": lambda row, _: Span(energy(row.energy_uj)),
        "idle": lambda row, _: _part(row, row.idle_uj),
        "processes": lambda row, _: _part(row, row.processes_uj),
        "other": lambda row, _: _part(row, row.other_uj),
        "unattributed": lambda row, _: _part(row, row.unattributed_uj),
        "method": _method,
        "name": lambda row, _: Span(harmless(row.device.name), "dim"),
    }
)
"""What is in each column of a row."""
