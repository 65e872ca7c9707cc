"""Energy over time as both meters know it: means over any interval are exact, gaps stay gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct

COVERED = 0.98
"""A mean is known where at least this part of the interval is."""
TOUCHING_S = 1e-3
"""What rounding may leave between two parts."""


class Part(Struct, frozen=True):
    """Energy of one interval, times in seconds of the wall clock."""

    start_unix_s: float
    end_unix_s: float
    energy_j: float

    @property
    def mean_w(self) -> float:
        """Mean power."""
        return self.energy_j / (self.end_unix_s - self.start_unix_s)


class EnergySeries:
    """Parts in order of time that do not overlap."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Take at least one part.

        Raises:
            ValueError: There is none, or they overlap or run backwards.
        """
        if not parts:
            raise ValueError("no energy")
        self.parts = tuple(parts)
        self.start_unix_s, self.end_unix_s = parts[0].start_unix_s, parts[-1].end_unix_s
        self._times_s = [self.start_unix_s]
        self._energies_j = [0.0]
        self._covered_s = [0.0]
        for part in parts:
            self._add(part)

    def mean_w(self, start_unix_s: float, end_unix_s: float) -> float | None:
        """Mean power between the two times; None where too little of it is known."""
        energy_0_j, covered_0_s = self._until(start_unix_s)
        energy_1_j, covered_1_s = self._until(end_unix_s)
        covered_s = covered_1_s - covered_0_s
        if covered_s <= 0 or covered_s < COVERED * (end_unix_s - start_unix_s):
            return None
        return (energy_1_j - energy_0_j) / covered_s

    def coarse(self, shortest_s: float) -> EnergySeries:
        """The same energy in parts of at least `shortest_s`, joined where they touch; short rests are left out."""
        joined = [
            Part(group[0].start_unix_s, group[-1].end_unix_s, sum(part.energy_j for part in group))
            for group in groups(self.parts, shortest_s)
        ]
        return EnergySeries(joined or self.parts)

    def _add(self, part: Part) -> None:
        last_s = self._times_s[-1]
        if part.start_unix_s < last_s or part.end_unix_s <= part.start_unix_s:
            raise ValueError(f"{part.start_unix_s:.3f} .. {part.end_unix_s:.3f} does not follow {last_s:.3f}")
        if part.start_unix_s > last_s:
            self._mark(part.start_unix_s, 0.0, 0.0)
        self._mark(part.end_unix_s, part.energy_j, part.end_unix_s - part.start_unix_s)

    def _mark(self, at_s: float, energy_j: float, covered_s: float) -> None:
        self._times_s.append(at_s)
        self._energies_j.append(self._energies_j[-1] + energy_j)
        self._covered_s.append(self._covered_s[-1] + covered_s)

    def _until(self, at_s: float) -> tuple[float, float]:
        """Joules and known seconds from the beginning to `at_s`; power is flat within a part."""
        times_s = self._times_s
        after = bisect_right(times_s, at_s)
        if after == 0:
            return 0.0, 0.0
        if after == len(times_s):
            return self._energies_j[-1], self._covered_s[-1]
        share = (at_s - times_s[after - 1]) / (times_s[after] - times_s[after - 1])
        return (
            _between(self._energies_j[after - 1], self._energies_j[after], share),
            _between(self._covered_s[after - 1], self._covered_s[after], share),
        )


def groups(parts: Sequence[Part], shortest_s: float) -> list[list[Part]]:
    """Successive parts without a gap, as few as last `shortest_s`; what is left before a gap is not in it."""
    found: list[list[Part]] = []
    group: list[Part] = []
    for part in parts:
        if group and part.start_unix_s - group[-1].end_unix_s > TOUCHING_S:
            group = []
        group.append(part)
        # The sum of tenths of a second is a hair short of what it should be.
        if part.end_unix_s - group[0].start_unix_s >= shortest_s * (1 - 1e-6):
            found.append(group)
            group = []
    return found


def _between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share
