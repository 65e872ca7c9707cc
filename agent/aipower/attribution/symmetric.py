"""Small symmetric matrices: eigenvalues, and least squares with values that must not be negative.

Sizes are a dozen at most, so plain Python takes less than the import of a library would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

Matrix = list[list[float]]

SWEEPS = 30
"""Rounds of rotations; Jacobi's method converges quadratically, ten are plenty for a dozen rows."""
ROUNDS = 300
SETTLED = 1e-6
"""A round that changes no value by more than this share ends the search."""


@dataclass(frozen=True, slots=True)
class Eigen:
    """Eigenvalues, and beside each its unit vector."""

    values: Sequence[float]
    vectors: Sequence[Sequence[float]]


def eigen(matrix: Sequence[Sequence[float]]) -> Eigen:
    """Eigenvalues and vectors of a symmetric matrix by Jacobi's rotations (Golub and Van Loan, section 8.5)."""
    size = len(matrix)
    rows: Matrix = [list(row) for row in matrix]
    vectors: Matrix = [[float(i == j) for j in range(size)] for i in range(size)]
    for _ in range(SWEEPS):
        off = sum(rows[i][j] ** 2 for i in range(size) for j in range(i))
        if off <= 1e-24 * sum(rows[i][i] ** 2 for i in range(size)):
            break
        for i in range(size):
            for j in range(i):
                _rotate(rows, vectors, j, i)
    return Eigen([rows[k][k] for k in range(size)], [[vectors[i][k] for i in range(size)] for k in range(size)])


def _rotate(rows: Matrix, vectors: Matrix, p: int, q: int) -> None:
    """Make the element (p, q) zero."""
    if rows[p][q] == 0:
        return
    theta = (rows[q][q] - rows[p][p]) / (2 * rows[p][q])
    tangent = math.copysign(1.0, theta) / (abs(theta) + math.hypot(theta, 1.0))
    cosine = 1 / math.hypot(tangent, 1.0)
    sine = tangent * cosine
    for row in (*rows, *vectors):
        at_p, at_q = row[p], row[q]
        row[p], row[q] = cosine * at_p - sine * at_q, sine * at_p + cosine * at_q
    rows[p], rows[q] = (
        [cosine * a - sine * b for a, b in zip(rows[p], rows[q], strict=True)],
        [sine * a + cosine * b for a, b in zip(rows[p], rows[q], strict=True)],
    )


def is_positive(matrix: Sequence[Sequence[float]]) -> bool:
    """True for a positive definite matrix: Cholesky's factorisation comes to its end."""
    rows: Matrix = []
    for i, row in enumerate(matrix):
        factors: list[float] = []
        for j in range(i):
            inner = sum(map(mul, factors, rows[j]))
            factors.append((row[j] - inner) / rows[j][j])
        left = row[i] - sum(factor**2 for factor in factors)
        if left <= 0:
            return False
        rows.append([*factors, math.sqrt(left)])
    return True


def non_negative(matrix: Sequence[Sequence[float]], right: Sequence[float], start: Sequence[float]) -> list[float]:
    """The x >= 0 with the least x'Ax/2 - b'x for a positive definite A, by turns over its elements."""
    values = [max(0.0, value) for value in start]
    for _ in range(ROUNDS):
        change = 0.0
        for i, row in enumerate(matrix):
            rest = right[i] - sum(map(mul, row, values)) + row[i] * values[i]
            value = max(0.0, rest / row[i])
            change = max(change, abs(value - values[i]))
            values[i] = value
        if change <= SETTLED * max(values, default=0.0):
            break
    return values


def quadratic(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> float:
    """The quadratic form of `vector`: v'Av."""
    form: float = sum([x * sum(map(mul, row, vector)) for row, x in zip(matrix, vector, strict=True)])
    return form
