"""Rows of one device in columns: some tens of bytes each. New ones come at the end, old ones go at the front."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from heapq import nlargest
from operator import attrgetter
from typing import Any

from msgspec import Struct

from aipower.history.parts import PartSums, Sums
from aipower.history.register import OTHERS, Register
from aipower.model import ProcessId

NAN = math.nan
SLACK = 8
"""Old rows go when there are this many of them: to cut a column at its front moves all the rest."""


class Columns(Struct):
    """Energies are joules. A process that no entry tells of is in context + active all the same."""

    start_s: array[float]
    end_s: array[float]
    covered_s: array[float]
    idle_j: array[float]
    context_j: array[float]
    active_j: array[float]
    unattributed_j: array[float]
    low_w: array[float]
    high_w: array[float]
    entries: array[int]
    """How many entries a row has in the columns below."""
    number: array[int]
    energy_j: array[float]
    variance_j2: array[float]
    systematic_j: array[float]

    def extend(self, other: Columns) -> None:
        """Append the rows of another one."""
        for name in _PER_ROW + _PER_ENTRY:
            getattr(self, name).extend(getattr(other, name))

    def keep_of_first(self, share: float) -> None:
        """Leave only `share` of the first row."""
        for name in _SHARED:
            getattr(self, name)[0] *= share
        for name in ("energy_j", "variance_j2", "systematic_j"):
            column = getattr(self, name)
            for entry in range(self.entries[0]):
                column[entry] *= share


_SHARED = ("covered_s", "idle_j", "context_j", "active_j", "unattributed_j")
_PER_ROW = (
    "start_s", "end_s", "covered_s", "idle_j", "context_j", "active_j", "unattributed_j", "low_w", "high_w", "entries",
)  # fmt: skip
_PER_ENTRY = ("number", "energy_j", "variance_j2", "systematic_j")
_columns_per_row, _columns_per_entry = attrgetter(*_PER_ROW), attrgetter(*_PER_ENTRY)


def no_rows() -> Columns:
    """Columns without rows."""
    codes = {"start_s": "d", "end_s": "d", "entries": "B", "number": "I"}
    columns: dict[str, Any] = {name: array(codes.get(name, "f")) for name in _PER_ROW + _PER_ENTRY}
    return Columns(**columns)


class Rows:
    """Not thread-safe: who reads while another writes holds a lock around `between`."""

    def __init__(self, register: Register, most_parts: int) -> None:
        self._columns = no_rows()
        self._register = register
        self._most_parts = most_parts

    def __len__(self) -> int:
        return len(self._columns.start_s)

    @property
    def start_s(self) -> float | None:
        """Where the first row begins; None without rows."""
        starts_s = self._columns.start_s
        return starts_s[0] if starts_s else None

    @property
    def end_s(self) -> float | None:
        """Where the last row ends; None without rows."""
        ends_s = self._columns.end_s
        return ends_s[-1] if ends_s else None

    def append(self, sums: Sums, end_s: float, low_w: float = NAN, high_w: float = NAN) -> None:
        """Add a row behind all others: the biggest processes by name, what they leave over as others."""
        columns = self._columns
        biggest = _biggest(sums, self._most_parts)
        use = self._register.use
        for process, part in biggest:
            _append_entry(columns, use(process), part)
        rest = _rest(sums, biggest)
        if rest is not None:
            _append_entry(columns, OTHERS, rest)
        columns.entries.append(len(biggest) + (rest is not None))
        columns.start_s.append(sums.start_s)
        columns.end_s.append(end_s)
        columns.covered_s.append(sums.covered_s)
        columns.idle_j.append(sums.idle_j)
        columns.context_j.append(sums.context_j)
        columns.active_j.append(sums.active_j)
        columns.unattributed_j.append(sums.unattributed_j)
        columns.low_w.append(low_w)
        columns.high_w.append(high_w)

    def trim(self, before_s: float, most: int | None = None, only_before_s: float = math.inf) -> None:
        """Forget the rows that end before `before_s` and the oldest beyond `most`, but none after `only_before_s`.

        A few stay for a while.
        """
        ends_s = self._columns.end_s
        old = max(bisect_right(ends_s, before_s), 0 if most is None else len(self) - most)
        old = min(old, bisect_right(ends_s, only_before_s))
        if old > SLACK or old == len(self):
            self._cut(old)

    def forget(self) -> None:
        """Forget all rows."""
        self._cut(len(self))

    def forget_parts(self, before_s: float) -> None:
        """Have the rows that begin before `before_s` tell no process by name any more: all become others."""
        columns = self._columns
        entries = sum(columns.entries[: bisect_right(columns.start_s, before_s)])
        self._register.drop(columns.number[:entries])
        columns.number[:entries] = array("I", bytes(entries * columns.number.itemsize))

    def between(self, start_s: float, end_s: float) -> Columns:
        """A copy of the rows that have a part in the range."""
        columns = self._columns
        first = bisect_right(columns.end_s, start_s)
        last = max(first, bisect_left(columns.start_s, end_s))
        end_entry = len(columns.number) - sum(columns.entries[last:])
        first_entry = end_entry - sum(columns.entries[first:last])
        return Columns(
            *[column[first:last] for column in _columns_per_row(columns)],
            *[column[first_entry:end_entry] for column in _columns_per_entry(columns)],
        )

    def _cut(self, rows: int) -> None:
        columns = self._columns
        entries = sum(columns.entries[:rows])
        self._register.drop(columns.number[:entries])
        for name in _PER_ROW:
            del getattr(columns, name)[:rows]
        for name in _PER_ENTRY:
            del getattr(columns, name)[:entries]


def _append_entry(columns: Columns, number: int, part: PartSums) -> None:
    columns.number.append(number)
    columns.energy_j.append(part.energy_j)
    columns.variance_j2.append(part.variance_j2)
    columns.systematic_j.append(part.systematic_j)


def _biggest(sums: Sums, most: int) -> list[tuple[ProcessId, PartSums]]:
    """The biggest parts, in no order where all are among them."""
    parts = [(process, part) for process, part in sums.parts.items() if part.energy_j > 0]
    return parts if len(parts) <= most else nlargest(most, parts, key=lambda pair: pair[1].energy_j)


def _rest(sums: Sums, biggest: list[tuple[ProcessId, PartSums]]) -> PartSums | None:
    """The errors of all processes that are not among the biggest, added up; None without such processes.

    Their energy is what the others leave over, so it need not be kept.
    """
    if len(biggest) == len(sums.parts):
        return None
    known = {process for process, _ in biggest}
    rest = PartSums()
    for process, part in sums.parts.items():
        if process not in known:
            rest.add(part, 1.0)
    return rest
