"""Which processes are shown, and in which order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from aipower.model import Kind
from aipower.top.rows import Account, ProcessRow, Sums

TEXTS = frozenset({"pid", "user", "run", "command"})
"""Columns that are sorted upwards unless they are reversed; the others have the greatest first."""


def _kind_uj(kind: Kind) -> Callable[[ProcessRow], float]:
    return lambda row: row.sums.kinds_uj.get(kind, -1)


VALUES: Mapping[str, Callable[[ProcessRow], Any]] = MappingProxyType(
    {
        "pid": lambda row: row.pid,
        "user": lambda row: row.user,
        "run": lambda row: (not row.run, row.run),
        "power": lambda row: -1.0 if row.sums.power_w is None else row.sums.power_w,
        "energy": lambda row: row.sums.energy_uj,
        "share": lambda row: -1.0 if row.share is None else row.share,
        "gpu": _kind_uj("gpu"),
        "cpu": _kind_uj("cpu"),
        "dram": _kind_uj("dram"),
        "error": lambda row: -1.0 if row.half_uj is None else row.half_uj,
        "command": lambda row: row.command.casefold(),
    }
)
"""What rows are sorted by, for each column that can be chosen."""


def sorted_rows(rows: Iterable[ProcessRow], column: str, *, reverse: bool) -> list[ProcessRow]:
    """`rows` by `column`; those that are equal by energy, then by pid, so that they do not swap places."""
    steady = sorted(rows, key=lambda row: (-row.sums.energy_uj, row.pid))
    return sorted(steady, key=VALUES[column], reverse=(column not in TEXTS) != reverse)


def matches(row: ProcessRow, text: str) -> bool:
    """True where all words of `text` are in the row's command, user, run or pid, in whatever case."""
    where = f"{row.comm}\n{row.command}\n{row.user}\n{row.run}\n{row.pid}".casefold()
    return all(word in where for word in text.casefold().split())


def divide(rows: Sequence[ProcessRow], text: str) -> tuple[list[ProcessRow], list[ProcessRow]]:
    """The rows that match `text`, and those that do not."""
    if not text.strip():
        return list(rows), []
    shown: list[ProcessRow] = []
    hidden: list[ProcessRow] = []
    for row in rows:
        (shown if matches(row, text) else hidden).append(row)
    return shown, hidden


def summed(name: str, rows: Iterable[ProcessRow]) -> Account:
    """All of `rows` in one."""
    kinds_uj: dict[Kind, int] = {}
    powers_w: list[float] = []
    for row in rows:
        for kind, energy_uj in row.sums.kinds_uj.items():
            kinds_uj[kind] = kinds_uj.get(kind, 0) + energy_uj
        if row.sums.power_w is not None:
            powers_w.append(row.sums.power_w)
    return Account(name, Sums(math.fsum(powers_w) if powers_w else None, sum(kinds_uj.values()), kinds_uj))
