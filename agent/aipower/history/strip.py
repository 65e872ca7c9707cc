"""The rows of one device, cut into steps: each row gives a step as much as it overlaps it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice, repeat
from operator import add, itemgetter, sub

from msgspec import Struct

from aipower.books.uncertainty import Scale
from aipower.history.rows import Columns

COMPONENTS = ("idle", "context", "active", "unattributed")
DUST_S = 1e-6
"""Less than this is rounding, no time."""


class Layout(Struct, frozen=True):
    """Where the bounds of steps lie among rows."""

    places: Sequence[tuple[int, float]]
    """For each bound the last row that begins before it, and how much of that row lies before the bound."""
    whole: Sequence[int] | None
    """For each bound the number of rows before it; None where a bound cuts a row in two."""

    def over_steps(self, values: Sequence[float]) -> list[float]:
        """The sum of a value per row in each step."""
        if not values:
            return [0.0] * (len(self.places) - 1)
        until = list(accumulate(values, initial=0.0))
        if self.whole is not None:
            at = itemgetter(*self.whole)(until)
        else:
            at = [until[row] + part * values[row] for row, part in self.places]
        return list(map(sub, islice(at, 1, None), at))


Layouts = dict[tuple[bytes, bytes], Layout]
"""Those that are known, by the rows' begins and ends: devices mostly have the same buckets."""


def layout_of(rows: Columns, bounds_s: Sequence[float], known: Layouts) -> Layout:
    """The layout of rows, one of those that are known if it can be."""
    key = rows.start_s.tobytes(), rows.end_s.tobytes()
    layout = known.get(key)
    if layout is None:
        places = [_place(rows, bound_s) for bound_s in bounds_s]
        cuts = any(0.0 < part < 1.0 for _, part in places)
        layout = known[key] = Layout(places, None if cuts else [row + int(part) for row, part in places])
    return layout


def _place(rows: Columns, bound_s: float) -> tuple[int, float]:
    row = bisect_right(rows.start_s, bound_s) - 1
    if row < 0:
        return 0, 0.0
    start_s, end_s = rows.start_s[row], rows.end_s[row]
    return row, (1.0 if bound_s >= end_s else (bound_s - start_s) / (end_s - start_s))


class Strip(Struct, frozen=True):
    """One device in steps."""

    device: str
    scale: Scale
    rows: Columns
    layout: Layout
    covered_s: Sequence[float]
    """For how long its energy is known in each step."""
    components_j: Sequence[Sequence[float]]
    """In the order of `COMPONENTS`."""
    energy_j: Sequence[float]
    """All of them together."""

    def entry_rows(self) -> Iterator[int]:
        """The row of each entry."""
        return chain.from_iterable(map(repeat, range(len(self.rows.entries)), self.rows.entries))


def cut(device: str, scale: Scale, rows: Columns, bounds_s: Sequence[float], known: Layouts) -> Strip:
    """The rows of `device` between the bounds of steps, on the history's axis."""
    layout = layout_of(rows, bounds_s, known)
    covered_s = [span_s if span_s > DUST_S else 0.0 for span_s in layout.over_steps(rows.covered_s)]
    columns = (rows.idle_j, rows.context_j, rows.active_j, rows.unattributed_j)
    idle, context, active, unattributed = components = tuple(layout.over_steps(column) for column in columns)
    energy = list(map(add, map(add, idle, context), map(add, active, unattributed)))
    return Strip(device, scale, rows, layout, covered_s, components, energy)


def summed(columns: Iterable[Sequence[float]], steps: int) -> list[float]:
    """The sum of several series."""
    total = [0.0] * steps
    for column in columns:
        total = list(map(add, total, column))
    return total
