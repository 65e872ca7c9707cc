"""What windows have shown about watts per busy second, and what follows from it.

Each window says: energy of work = sum over columns of intensity * seconds + error. A column is a program (all
processes of one executable), a measure of a MIG slice's activity, or a processor's static power. The seconds may be
sampled and then have errors of their own, so plain least squares would believe too much: a direction in which the
columns vary no more than their sampling noise says nothing (docs/method/processes.md has the derivation).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aipower.attribution.symmetric import Matrix, eigen, non_negative

LEAST_ERROR = 0.02
"""Error of one window's energy of work, as a share of it: no load is so regular that less would be honest."""
UNSEEN = 1e-3
"""A direction with less than this share of the largest variation tells nothing (science of F3)."""
PRESENT = 0.1
"""A column belongs to a direction if its part of the squared unit vector is larger."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is taken for true of a column's intensity before there is evidence, in watts."""

    mean_w: float
    se_w: float


@dataclass(frozen=True, slots=True)
class Solution:
    """Intensities in watts (joules per second of the column) with their joint errors."""

    columns: Sequence[str] = ()
    values_w: Sequence[float] = ()
    covariance_w2: Sequence[Sequence[float]] = ()
    unidentified: frozenset[str] = frozenset()
    """Columns that could not be told from another one."""
    place: Mapping[str, int] = field(default_factory=dict)

    def intensity_w(self, column: str, otherwise_w: float) -> float:
        """The intensity of a column, `otherwise_w` if there is no evidence of it."""
        at = self.place.get(column)
        return otherwise_w if at is None else self.values_w[at]


class Evidence:
    """Sums over windows: of products of the columns' seconds, of their noise, and of seconds times energy."""

    def __init__(self, memory: float = 1.0) -> None:
        """Evidence of which each further window leaves the share `memory`."""
        self._memory = memory
        self._columns: list[str] = []
        self._seconds2: Matrix = []
        self._noise2: Matrix = []
        self._energies: list[float] = []
        self._totals_s: list[float] = []
        self._energy2 = self._energy_j = self._windows = 0.0

    @property
    def columns(self) -> Sequence[str]:
        """The columns seen so far."""
        return self._columns

    @property
    def windows(self) -> float:
        """The number of windows, older ones counting less."""
        return self._windows

    @property
    def mean_w(self) -> float:
        """Energy over all seconds: the intensity if all columns had the same."""
        total_s = sum(self._totals_s)
        return self._energy_j / total_s if total_s > 0 else 0.0

    def total_s(self, column: str) -> float:
        """All seconds of a column."""
        return self._totals_s[self._columns.index(column)] if column in self._columns else 0.0

    def add(self, seconds: Mapping[str, float], energy_j: float, noise_s2: Mapping[tuple[str, str], float]) -> None:
        """Take in one window: seconds by column, the energy of work, and the covariance of the seconds' errors."""
        for column in seconds:
            self._open(column)
        if self._memory < 1:
            self._fade()
        places = [(self._columns.index(column), value) for column, value in seconds.items() if value > 0]
        for i, x in places:
            self._energies[i] += x * energy_j
            self._totals_s[i] += x
            for j, y in places:
                self._seconds2[i][j] += x * y
        for (one, other), value in noise_s2.items():
            self._noise2[self._columns.index(one)][self._columns.index(other)] += value
        self._energy2 += energy_j**2
        self._energy_j += energy_j
        self._windows += 1

    def solve(self, priors: Mapping[str, Prior]) -> Solution:
        """The intensities of all columns that have a prior with an error."""
        columns = [c for c in self._columns if c in priors and priors[c].se_w > 0 and self.total_s(c) > 0]
        if not columns:
            return Solution()
        at = [self._columns.index(column) for column in columns]
        means = [priors[column].mean_w for column in columns]
        scales = [priors[column].se_w for column in columns]
        rest = _Scaled(
            [[self._seconds2[i][j] * scales[a] * scales[b] for b, j in enumerate(at)] for a, i in enumerate(at)],
            [[self._noise2[i][j] * scales[a] * scales[b] for b, j in enumerate(at)] for a, i in enumerate(at)],
            [self._energies[i] * scales[a] for a, i in enumerate(at)],
            [mean / scale for mean, scale in zip(means, scales, strict=True)],
        )
        values, error_j2 = self._fit(rest)
        covariance, unidentified = rest.covariance(error_j2)
        return Solution(
            columns,
            [value * scale for value, scale in zip(values, scales, strict=True)],
            [[c * scales[a] * scales[b] for b, c in enumerate(row)] for a, row in enumerate(covariance)],
            frozenset(columns[k] for k in unidentified),
            {column: k for k, column in enumerate(columns)},
        )

    def _fit(self, scaled: _Scaled) -> tuple[list[float], float]:
        """Values and the square error of a window; that is judged from what a first fit leaves over."""
        floor_j2 = LEAST_ERROR**2 * self._energy2 / max(self._windows, 1.0)
        error_j2 = max(floor_j2, 1e-12)
        values = scaled.means
        for _ in range(3):
            values = scaled.ridge(error_j2)
            left_j2 = max(0.0, self._energy2 - scaled.explained(values))
            error_j2 = max(floor_j2, left_j2 / max(self._windows - len(values), 1.0), 1e-12)
        return list(values), error_j2

    def _open(self, column: str) -> None:
        if column in self._columns:
            return
        self._columns.append(column)
        for matrix in (self._seconds2, self._noise2):
            for row in matrix:
                row.append(0.0)
            matrix.append([0.0] * len(self._columns))
        self._energies.append(0.0)
        self._totals_s.append(0.0)

    def _fade(self) -> None:
        keep = self._memory
        for matrix in (self._seconds2, self._noise2):
            for row in matrix:
                row[:] = [value * keep for value in row]
        self._energies = [value * keep for value in self._energies]
        self._totals_s = [value * keep for value in self._totals_s]
        self._energy2, self._energy_j, self._windows = (
            value * keep for value in (self._energy2, self._energy_j, self._windows)
        )


@dataclass(frozen=True, slots=True)
class _Scaled:
    """The problem in units of the priors' errors: each intensity is its mean, give or take 1."""

    seconds2: Matrix
    noise2: Matrix
    energies: list[float]
    means: list[float]

    def ridge(self, error_j2: float) -> list[float]:
        """The most likely values: least squares held to the priors."""
        matrix = [[v + (error_j2 if a == b else 0.0) for b, v in enumerate(row)] for a, row in enumerate(self.seconds2)]
        right = [energy + error_j2 * mean for energy, mean in zip(self.energies, self.means, strict=True)]
        return non_negative(matrix, right, self.means)

    def explained(self, values: Sequence[float]) -> float:
        """The sum of squares that `values` take from the energies'."""
        linear = sum(2 * v * e for v, e in zip(values, self.energies, strict=True))
        return linear - sum(x * a * y for row, x in zip(self.seconds2, values, strict=True) for a, y in zip(row, values, strict=True))

    def covariance(self, error_j2: float) -> tuple[Matrix, list[int]]:
        """Covariance of the values, and the columns in directions that nothing was learned of.

        In each direction the estimate is the truth shrunk to the prior: by the ridge, and by as much as the variation
        seen is noise of the samples. What shrinking leaves of the prior's error, and the windows' own, remain.
        """
        size = len(self.means)
        found = eigen(self.seconds2)
        largest = max(found.values, default=0.0)
        covariance: Matrix = [[0.0] * size for _ in range(size)]
        unknown: set[int] = set()
        for value, vector in zip(found.values, found.vectors, strict=True):
            noise = sum(self.noise2[i][j] * vector[i] * vector[j] for i in range(size) for j in range(size))
            seen = max(0.0, value - noise)
            shrunk = seen / (value + error_j2)
            variance = (1 - shrunk) ** 2 + error_j2 * value / (value + error_j2) ** 2
            if size > 1 and seen < UNSEEN * largest:
                unknown.update(k for k in range(size) if vector[k] ** 2 > PRESENT)
            for i in range(size):
                for j in range(size):
                    covariance[i][j] += variance * vector[i] * vector[j]
        return covariance, sorted(unknown)


def relative(value: float, total: float) -> float:
    """`value` as a share of `total`, 0 of nothing."""
    return value / total if total > 0 and math.isfinite(total) else 0.0
