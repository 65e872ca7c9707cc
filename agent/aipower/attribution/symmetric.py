"""Small symmetric matrices: eigenvalues, and least squares with values that must not be negative.

Sizes are a dozen at most, so plain Python takes less than the import of a library would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

from msgspec import Struct

Matrix = list[list[float]]

SWEEPS = 30
"""Rounds of rotations; Jacobi's method converges quadratically, ten are plenty for a dozen rows."""
NOTHING = 1e-32
"""Square of an element as a share of its diagonal's, below which a rotation by it changes no digit."""
ROUNDS = 300
SETTLED = 1e-6
"""A round that changes no value by more than this share ends the search."""


class Eigen(Struct, frozen=True):
    """Eigenvalues, and beside each its unit vector."""

    values: Sequence[float]
    vectors: Sequence[Sequence[float]]


def eigen(matrix: Sequence[Sequence[float]]) -> Eigen:
    """Eigenvalues and vectors of a symmetric matrix by Jacobi's rotations (Golub and Van Loan, section 8.5)."""
    size = len(matrix)
    rows: Matrix = [list(row) for row in matrix]
    vectors: Matrix = [[float(i == j) for j in range(size)] for i in range(size)]
    for _ in range(SWEEPS):
        off = sum([sum(map(mul, row[:i], row[:i])) for i, row in enumerate(rows)])
        if off <= 1e-24 * sum([row[i] ** 2 for i, row in enumerate(rows)]):
            break
        for i in range(size):
            for j in range(i):
                if rows[j][i] ** 2 > NOTHING * abs(rows[i][i] * rows[j][j]):
                    _rotate(rows, vectors, j, i)
    return Eigen([row[k] for k, row in enumerate(rows)], vectors)


def _rotate(rows: Matrix, vectors: Matrix, p: int, q: int) -> None:
    """Make the element (p, q) zero; `vectors` has the basis so far by rows."""
    row_p, row_q = rows[p], rows[q]
    between = row_p[q]
    theta = (row_q[q] - row_p[p]) / (2 * between)
    tangent = math.copysign(1.0, theta) / (abs(theta) + math.hypot(theta, 1.0))
    cosine = 1 / math.hypot(tangent, 1.0)
    sine = tangent * cosine
    new_p = [cosine * a - sine * b for a, b in zip(row_p, row_q, strict=True)]
    new_q = [sine * a + cosine * b for a, b in zip(row_p, row_q, strict=True)]
    new_p[p], new_q[q] = row_p[p] - tangent * between, row_q[q] + tangent * between
    new_p[q] = new_q[p] = 0.0
    rows[p], rows[q] = new_p, new_q
    for row, at_p, at_q in zip(rows, new_p, new_q, strict=True):
        row[p], row[q] = at_p, at_q
    row_p, row_q = vectors[p], vectors[q]
    vectors[p] = [cosine * a - sine * b for a, b in zip(row_p, row_q, strict=True)]
    vectors[q] = [sine * a + cosine * b for a, b in zip(row_p, row_q, strict=True)]


def is_positive(matrix: Sequence[Sequence[float]]) -> bool:
    """True for a positive definite matrix."""
    return _cholesky(matrix) is not None


def _cholesky(matrix: Sequence[Sequence[float]]) -> Matrix | None:
    """The lower triangular L with LL' = A, row by row up to the diagonal; None where A is not positive definite."""
    rows: Matrix = []
    for i, row in enumerate(matrix):
        factors: list[float] = []
        for j in range(i):
            factors.append((row[j] - sum(map(mul, factors, rows[j]))) / rows[j][j])
        left = row[i] - sum(map(mul, factors, factors))
        if left <= 0:
            return None
        rows.append([*factors, math.sqrt(left)])
    return rows


def _solved(factors: Matrix, right: Sequence[float]) -> list[float]:
    """The x with LL'x = b: forwards, then backwards."""
    halfway: list[float] = []
    for row, value in zip(factors, right, strict=True):
        halfway.append((value - sum(map(mul, row, halfway))) / row[-1])
    found = halfway
    for i in range(len(factors) - 1, -1, -1):
        found[i] = value = found[i] / factors[i][i]
        for j in range(i):
            found[j] -= factors[i][j] * value
    return found


def non_negative(matrix: Sequence[Sequence[float]], right: Sequence[float], start: Sequence[float]) -> list[float]:
    """The x >= 0 with the least x'Ax/2 - b'x for a positive definite A; `start` is near it.

    Mostly that is where the slope is 0. Where some element would be negative there, it is found by turns over all.
    """
    factors = _cholesky(matrix)
    if factors is not None:
        found = _solved(factors, right)
        if min(found, default=0.0) >= 0:
            return found
    return _by_turns(matrix, right, [max(0.0, value) for value in start])


def _by_turns(matrix: Sequence[Sequence[float]], right: Sequence[float], values: list[float]) -> list[float]:
    for _ in range(ROUNDS):
        change = 0.0
        for i, row in enumerate(matrix):
            before = values[i]
            values[i] = max(0.0, before + (right[i] - sum(map(mul, row, values))) / row[i])
            change = max(change, abs(values[i] - before))
        if change <= SETTLED * max(values, default=0.0):
            break
    return values


def quadratic(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> float:
    """The quadratic form of `vector`: v'Av."""
    form: float = sum([x * sum(map(mul, row, vector)) for row, x in zip(matrix, vector, strict=True)])
    return form
