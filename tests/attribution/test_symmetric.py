"""Small symmetric matrices against what must hold of them."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.attribution.symmetric import Matrix, eigen, non_negative, quadratic

ELEMENTS = st.floats(-100, 100).map(lambda value: round(value, 6))


@st.composite
def symmetric(draw: st.DrawFn, most: int = 6) -> Matrix:
    size = draw(st.integers(1, most))
    rows: Matrix = [[0.0] * size for _ in range(size)]
    for i, j in itertools.combinations_with_replacement(range(size), 2):
        rows[i][j] = rows[j][i] = draw(ELEMENTS)
    return rows


@st.composite
def problems(draw: st.DrawFn) -> tuple[Matrix, list[float], list[float]]:
    """A positive definite matrix, a right side and a start."""
    size = draw(st.integers(1, 4))
    factors = [[draw(ELEMENTS) for _ in range(size)] for _ in range(size)]
    scale = max(1.0, *(abs(value) for row in factors for value in row))
    matrix = [
        [sum(a * b for a, b in zip(one, other, strict=True)) / scale**2 + 0.1 * (one is other) for other in factors]
        for one in factors
    ]
    right, start = ([draw(ELEMENTS) for _ in range(size)] for _ in range(2))
    return matrix, right, start


def times(matrix: Matrix, vector: list[float]) -> list[float]:
    return [sum(a * x for a, x in zip(row, vector, strict=True)) for row in matrix]


@pytest.mark.parametrize(
    ("matrix", "values"),
    [
        ([[3.0]], [3.0]),
        ([[2.0, 0.0], [0.0, -1.0]], [-1.0, 2.0]),
        ([[2.0, 1.0], [1.0, 2.0]], [1.0, 3.0]),
        ([[1.0, 1.0], [1.0, 1.0]], [0.0, 2.0]),
        ([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]], [2 - math.sqrt(2), 2.0, 2 + math.sqrt(2)]),
        ([[0.0] * 3] * 3, [0.0] * 3),
        ([[1e-9, 0.0], [0.0, 1e9]], [1e-9, 1e9]),
    ],
)
def test_known_eigenvalues(matrix: Matrix, values: list[float]) -> None:
    assert sorted(eigen(matrix).values) == pytest.approx(values, rel=1e-9, abs=1e-12)


def test_nothing_has_no_eigenvalues() -> None:
    assert eigen([]).values == []


@given(symmetric())
def test_eigenvectors_are_stretched_orthogonal_and_of_length_one(matrix: Matrix) -> None:
    found, size = eigen(matrix), len(matrix)
    scale = max(1.0, *(abs(value) for row in matrix for value in row))
    assert sum(found.values) == pytest.approx(sum(matrix[i][i] for i in range(size)), abs=1e-9 * scale)
    for value, vector in zip(found.values, found.vectors, strict=True):
        assert times(matrix, list(vector)) == pytest.approx([value * part for part in vector], abs=1e-8 * scale)
    for one, other in itertools.product(range(size), repeat=2):
        product = sum(a * b for a, b in zip(found.vectors[one], found.vectors[other], strict=True))
        assert product == pytest.approx(float(one == other), abs=1e-9)


@given(symmetric())
def test_the_matrix_itself_is_left_alone(matrix: Matrix) -> None:
    before = [list(row) for row in matrix]
    eigen(matrix)
    assert matrix == before


@given(problems())
def test_the_least_squares_without_negative_values_cannot_be_bettered(
    problem: tuple[Matrix, list[float], list[float]],
) -> None:
    """Karush, Kuhn and Tucker: no slope at a value above 0, none downwards at 0."""
    matrix, right, start = problem
    found = non_negative(matrix, right, start)
    slopes = [a - b for a, b in zip(times(matrix, found), right, strict=True)]
    close = 1e-4 * max(1.0, *map(abs, right))
    assert all(value >= 0 for value in found)
    assert all(slope >= -close for slope in slopes)
    assert all(abs(slope) <= close for slope, value in zip(slopes, found, strict=True) if value > 0)


@given(problems())
def test_the_start_does_not_matter(problem: tuple[Matrix, list[float], list[float]]) -> None:
    matrix, right, start = problem
    again = non_negative(matrix, right, [0.0] * len(right))
    assert non_negative(matrix, right, start) == pytest.approx(again, abs=1e-3 * max(1.0, *map(abs, right)))


@pytest.mark.parametrize(
    ("right", "found"), [([3.0, 3.0], [1.0, 1.0]), ([4.0, -1.0], [2.0, 0.0]), ([-1.0, -1.0], [0.0, 0.0])]
)
def test_values_that_would_be_negative_are_nothing(right: list[float], found: list[float]) -> None:
    assert non_negative([[2.0, 1.0], [1.0, 2.0]], right, [5.0, 5.0]) == pytest.approx(found, abs=1e-6)


def test_a_quadratic_form() -> None:
    assert quadratic([[1.0, 2.0], [2.0, 5.0]], [3.0, -1.0]) == 1 * 9 + 2 * 2 * -3 + 5
    assert quadratic([], []) == 0
