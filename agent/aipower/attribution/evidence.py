"""What windows have shown about watts per busy second, and what follows from it.

Each window says: energy of work = sum over columns of intensity * seconds + error. A column is a program (all
processes of one executable), a measure of a MIG slice's activity, or a processor's static power. The seconds may be
sampled and then have errors of their own, so plain least squares would believe too much: a direction in which the
columns vary no more than their sampling noise says nothing (docs/method/processes.md has the derivation).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import mul

from msgspec import Struct, field

from aipower.attribution.fit import Scaled, fitted
from aipower.attribution.rows import Row, Table
from aipower.attribution.samples import Covariance
from aipower.attribution.symmetric import Matrix
from aipower.attribution.vectors import dot

LEAST_ERROR = 0.01
"""No load on a GPU is so regular that less would be honest."""
MOST_COLUMNS = 16
"""Of evidence that goes on for ever: twelve programs have columns at once, and some columns are no programs."""


class Prior(Struct, frozen=True):
    """What is taken for true of a column's intensity before there is evidence, in watts."""

    mean_w: float
    se_w: float


class Solution(Struct, frozen=True):
    """Intensities in watts (joules per second of the column) with their joint errors."""

    columns: Sequence[str] = ()
    values_w: Sequence[float] = ()
    covariance_w2: Sequence[Sequence[float]] = ()
    unidentified: frozenset[str] = frozenset()
    """Columns that could not be told from another one."""
    place: Mapping[str, int] = field(default_factory=dict)
    model_error_j2: float = 0.0
    """Square error of one window's energy that is not sampling: what the model does not explain."""
    floor_j2: float = 0.0
    """The least that this is taken for."""
    seen_j2: float = 0.0
    """What residuals show of it, which may be less."""
    misfit_j: float = 0.0
    """By how much windows in which several columns work have more or less energy than the sum of their parts."""

    @property
    def doubt_j(self) -> float:
        """What the model may be wrong by in a window in which several work."""
        return math.sqrt(self.model_error_j2 + self.misfit_j**2)

    @property
    def shown_j(self) -> float:
        """What residuals show it to be wrong by in such windows, perhaps in the same direction each time."""
        return math.sqrt(self.seen_j2 + self.misfit_j**2)

    def intensity_w(self, column: str, otherwise_w: float) -> float:
        """The intensity of a column, `otherwise_w` if there is no evidence of it."""
        at = self.place.get(column)
        return otherwise_w if at is None else self.values_w[at]


class Evidence:
    """Sums over windows: of products of the columns' seconds, of their noise, and of seconds times energy."""

    def __init__(self, memory: float = 1.0) -> None:
        """Evidence of which each further window leaves the share `memory`."""
        self._memory = memory
        self._left = 1.0
        """The share of all sums that is left: they fade by one number, until it is multiplied out."""
        self._columns: list[str] = []
        self._place: dict[str, int] = {}
        self._seconds2: Matrix = []
        self._noise2: Matrix = []
        self._energies: list[float] = []
        self._totals_s: list[float] = []
        self._energy2 = self._energy_j = self._windows = 0.0

    def copy(self) -> Evidence:
        """The same, to be added to."""
        other = Evidence(self._memory)
        other._left = self._left
        other._columns, other._place = list(self._columns), dict(self._place)
        other._seconds2, other._noise2 = ([list(row) for row in m] for m in (self._seconds2, self._noise2))
        other._energies, other._totals_s = list(self._energies), list(self._totals_s)
        other._energy2, other._energy_j, other._windows = self._energy2, self._energy_j, self._windows
        return other

    @property
    def columns(self) -> Sequence[str]:
        """The columns seen so far."""
        return self._columns

    @property
    def windows(self) -> float:
        """The number of windows, older ones counting less."""
        return self._windows * self._left

    @property
    def energy_j(self) -> float:
        """All energy, older windows counting less."""
        return self._energy_j * self._left

    @property
    def mean_w(self) -> float:
        """Energy over all seconds: the intensity if all columns had the same."""
        total_s = sum(self._totals_s)
        return self._energy_j / total_s if total_s > 0 else 0.0

    def total_s(self, column: str) -> float:
        """All seconds of a column."""
        at = self._place.get(column)
        return 0.0 if at is None else self._totals_s[at] * self._left

    def add(self, row: Row, weight: float = 1.0) -> None:
        """Take in one window; `weight` is from 0 to 1, less for windows that the others contradict."""
        for column in row.columns:
            self._open(column)
        self._left *= self._memory
        if self._left < LEAST_LEFT:
            self._multiply_out()
        one = 1 / self._left
        part = weight * one
        seconds = [0.0] * len(self._columns)
        for column, value in zip(row.columns, row.seconds, strict=True):
            self._totals_s[self._place[column]] += one * value
            seconds[self._place[column]] = value
        _add_products(self._seconds2, seconds, part)
        self._energies = [sum_ + part * row.energy_j * x for sum_, x in zip(self._energies, seconds, strict=True)]
        if row.covariance_s2 is not None:
            self._add_noise(row.columns, row.covariance_s2, part)
        self._energy2 += part * row.energy_j**2
        self._energy_j += one * row.energy_j
        self._windows += part

    def add_all(self, table: Table, weights: Sequence[float]) -> None:
        """Take in windows, as `add` does one after the other."""
        for column in table.columns:
            self._open(column)
        self._left *= self._memory**table.size
        self._multiply_out()
        ages = [self._memory**age for age in range(table.size - 1, -1, -1)]
        parts = list(map(mul, weights, ages))
        at = [self._place[column] for column in table.columns]
        _add_table(self._seconds2, at, table.seconds, parts, 1.0)
        if table.sampled:
            _add_table(self._noise2, at, table.draws_s, parts, -1.0)
        energies = list(map(mul, parts, table.energies_j))
        for i, seconds, own_s2 in zip(at, table.seconds, table.own_s2, strict=True):
            self._totals_s[i] += dot(ages, seconds)
            self._energies[i] += dot(energies, seconds)
            self._noise2[i][i] += dot(parts, own_s2) if table.sampled else 0.0
        self._energy2 += dot(energies, table.energies_j)
        self._energy_j += dot(ages, table.energies_j)
        self._windows += sum(parts)

    def solve(self, priors: Mapping[str, Prior], least_error: float = LEAST_ERROR) -> Solution:
        """The intensities of all columns that have a prior with an error.

        `least_error` is the error of one window's energy that is always reckoned with, as a share of it.
        """
        self._multiply_out()
        columns = [c for c in self._columns if c in priors and priors[c].se_w > 0 and self.total_s(c) > 0]
        if not columns:
            return Solution()
        at = [self._place[column] for column in columns]
        means = [priors[column].mean_w for column in columns]
        scales = [priors[column].se_w for column in columns]
        scaled = Scaled(
            self._windows,
            [[self._seconds2[i][j] * scales[a] * scales[b] for b, j in enumerate(at)] for a, i in enumerate(at)],
            [[self._noise2[i][j] * scales[a] * scales[b] for b, j in enumerate(at)] for a, i in enumerate(at)],
            [self._energies[i] * scales[a] for a, i in enumerate(at)],
            self._energy2,
            [mean / scale for mean, scale in zip(means, scales, strict=True)],
            least_error,
        )
        fit = fitted(scaled)
        return Solution(
            columns,
            [value * scale for value, scale in zip(fit.values, scales, strict=True)],
            [[c * scales[a] * scales[b] for b, c in enumerate(row)] for a, row in enumerate(fit.covariance)],
            frozenset(columns[k] for k in fit.unknown),
            {column: k for k, column in enumerate(columns)},
            fit.floor_j2,
            fit.floor_j2,
        )

    def trim(self, solution: Solution) -> None:
        """Forget the programs of long ago: on a node where they come and go there would be ever more."""
        while len(self._columns) > MOST_COLUMNS:
            least = min(self._columns, key=self.total_s)
            self.forget(least, solution.intensity_w(least, self.mean_w))

    def forget(self, column: str, intensity_w: float) -> None:
        """Take `column` out, with the energy that it used if `intensity_w` was its intensity.

        What is left is evidence of the others as if that had been known before.
        """
        gone = self._place[column]
        energy_js, total_s2 = self._energies[gone], self._seconds2[gone][gone]
        self._energies = [
            energy - intensity_w * seconds
            for energy, seconds in zip(self._energies, self._seconds2[gone], strict=True)
        ]
        self._energy2 = max(0.0, self._energy2 - 2 * intensity_w * energy_js + intensity_w**2 * total_s2)
        self._energy_j = max(0.0, self._energy_j - intensity_w * self._totals_s[gone])
        for row in (*self._seconds2, *self._noise2):
            del row[gone]
        for list_ in (self._columns, self._seconds2, self._noise2, self._energies, self._totals_s):
            del list_[gone]
        self._place = {name: place for place, name in enumerate(self._columns)}

    def _open(self, column: str) -> None:
        if column in self._place:
            return
        self._place[column] = len(self._columns)
        self._columns.append(column)
        for matrix in (self._seconds2, self._noise2):
            for row in matrix:
                row.append(0.0)
            matrix.append([0.0] * len(self._columns))
        self._energies.append(0.0)
        self._totals_s.append(0.0)

    def _add_noise(self, columns: Sequence[str], covariance: Covariance, part: float) -> None:
        shares = [0.0] * len(self._columns)
        for column, share, own_s2 in zip(columns, covariance.shares, covariance.own_s2, strict=True):
            at = self._place[column]
            shares[at] = share
            self._noise2[at][at] += part * own_s2
        _add_products(self._noise2, shares, -part * covariance.each_s2)

    def _multiply_out(self) -> None:
        left, self._left = self._left, 1.0
        if left == 1.0:
            return
        for matrix in (self._seconds2, self._noise2):
            matrix[:] = [[value * left for value in row] for row in matrix]
        self._energies = [value * left for value in self._energies]
        self._totals_s = [value * left for value in self._totals_s]
        self._energy2, self._energy_j, self._windows = (
            value * left for value in (self._energy2, self._energy_j, self._windows)
        )


LEAST_LEFT = 1e-6
"""Sums that have faded to less are multiplied out, so that new windows do not become too large numbers."""


def _add_products(matrix: Matrix, vector: Sequence[float], times: float) -> None:
    """Add the products of all pairs of elements."""
    for i, value in enumerate(vector):
        if value:
            factor = times * value
            matrix[i] = [sum_ + factor * other for sum_, other in zip(matrix[i], vector, strict=True)]


def _add_table(
    matrix: Matrix, at: Sequence[int], columns: Sequence[Sequence[float]], parts: Sequence[float], times: float
) -> None:
    """Add the products of all pairs of columns, row by row weighted by `parts`."""
    used = [(i, column) for i, column in zip(at, columns, strict=True) if any(column)]
    for number, (i, column) in enumerate(used):
        weighted = list(map(mul, parts, column))
        for j, other in used[: number + 1]:
            sum_ = times * dot(weighted, other)
            matrix[i][j] += sum_
            if i != j:
                matrix[j][i] += sum_
