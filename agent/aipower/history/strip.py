"""The rows of one device, cut into steps: each row gives a step as much as it overlaps it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, islice, repeat
from operator import add, sub

from aipower.history.rows import Columns
from aipower.history.scale import Scale

COMPONENTS = ("idle", "context", "active", "unattributed")
DUST_S = 1e-6
"""Less than this is rounding, no time."""


@dataclass(frozen=True)
class Strip:
    """One device between the bounds of steps, on the history's axis."""

    device: str
    scale: Scale
    rows: Columns
    bounds_s: Sequence[float]

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.bounds_s) - 1

    @cached_property
    def covered_s(self) -> list[float]:
        """For how long the device's energy is known in each step."""
        return [span_s if span_s > DUST_S else 0.0 for span_s in self.over_steps(self.rows.covered_s)]

    @cached_property
    def components_j(self) -> tuple[list[float], list[float], list[float], list[float]]:
        """In the order of `COMPONENTS`."""
        rows = self.rows
        columns = (rows.idle_j, rows.context_j, rows.active_j, rows.unattributed_j)
        idle, context, active, unattributed = (self.over_steps(column) for column in columns)
        return idle, context, active, unattributed

    @cached_property
    def energy_j(self) -> list[float]:
        """All together."""
        idle, context, active, unattributed = self.components_j
        return list(map(add, map(add, idle, context), map(add, active, unattributed)))

    def over_steps(self, values: Sequence[float]) -> list[float]:
        """The sum of a value per row in each step."""
        if not values:
            return [0.0] * self.steps
        until = list(accumulate(values, initial=0.0))
        at = [until[row] + part * values[row] for row, part in self._places]
        return list(map(sub, islice(at, 1, None), at))

    def rows_of(self, step: int) -> tuple[int, int]:
        """The first row that has a part in `step`, and the first after it that has none."""
        places = self._places
        first, part = places[step]
        last, last_part = places[step + 1]
        return first + (part >= 1.0), last + (last_part > 0.0)

    def entry_rows(self) -> Iterator[int]:
        """The row of each entry."""
        return chain.from_iterable(map(repeat, range(len(self.rows.entries)), self.rows.entries))

    @cached_property
    def _places(self) -> list[tuple[int, float]]:
        """For each bound the last row that begins before it, and how much of that lies before the bound."""
        starts_s, ends_s = self.rows.start_s, self.rows.end_s
        places = []
        for bound_s in self.bounds_s:
            row = bisect_right(starts_s, bound_s) - 1
            if row < 0:
                places.append((0, 0.0))
            else:
                start_s = starts_s[row]
                places.append((row, min(1.0, (bound_s - start_s) / (ends_s[row] - start_s))))
        return places


def summed(columns: Iterable[Sequence[float]], steps: int) -> list[float]:
    """The sum of several series."""
    total = [0.0] * steps
    for column in columns:
        total = list(map(add, total, column))
    return total
