"""What the posted energies may be off, window by window, against sums that are made anew each time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.attribution.doubts import Basis, Doubts
from aipower.attribution.evidence import Solution
from aipower.attribution.leverage import NO_SLOPES, Direction, Doubted
from aipower.attribution.priors import PROGRAM_SE
from attribution.worlds import shown_w2

COLUMNS = ("a", "b", "c", "d")
NAMES = ("run", "other", "third")
NUMBERS = st.floats(-3, 3)
SHARES = st.floats(0, 1)


@st.composite
def solutions(draw: st.DrawFn) -> tuple[Solution, float]:
    """With evidence of some columns, and the mean power that the prior of the others has."""
    columns = draw(st.lists(st.sampled_from(COLUMNS), unique=True))
    factors = [[draw(NUMBERS) for _ in columns] for _ in columns]
    covariance = [[sum(x * y for x, y in zip(one, other, strict=True)) for other in factors] for one in factors]
    place = {column: k for k, column in enumerate(columns)}
    return Solution(columns, [1.0] * len(columns), covariance, place=place), draw(st.floats(0, 5))


@st.composite
def windows(draw: st.DrawFn) -> Doubted:
    """Two directions, of which some owners have a part each."""
    columns = tuple(draw(st.lists(st.sampled_from(COLUMNS), unique=True, min_size=1)))
    numbers = st.integers(0, len(columns) - 1)
    directions = [Direction(draw(NUMBERS), ((draw(numbers), draw(NUMBERS)),)) for _ in range(2)]
    owners = tuple(draw(st.lists(st.sampled_from(NAMES), unique=True)))
    kinds = [draw(st.sampled_from([NO_SLOPES, 0, 1])) for _ in owners]
    shares, floors = ([draw(SHARES) for _ in owners] for _ in range(2))
    return Doubted(columns, [draw(SHARES) for _ in columns], directions, owners, kinds, shares, floors)


def error_uj(slopes: dict[str, float], solution: Solution, mean_w: float) -> float:
    """Of all intensities' errors together; columns without evidence have the prior's."""
    variance = 0.0
    for one, x in slopes.items():
        for other, y in slopes.items():
            prior_w2 = (PROGRAM_SE * mean_w) ** 2 if one == other and one not in solution.place else 0.0
            variance += x * y * (shown_w2(solution, one, other) + prior_w2)
    return math.sqrt(max(0.0, variance))


def added(parts: list[tuple[Doubted, int]]) -> dict[str, float]:
    """The slopes of one owner over windows, of which it has the row of that number each."""
    total: dict[str, float] = {}
    for window, row in parts:
        if window.kinds[row] == NO_SLOPES:
            continue
        direction, share = window.directions[window.kinds[row]], window.shares[row]
        for column, seconds in zip(window.columns, window.seconds, strict=True):
            total[column] = total.get(column, 0.0) + share * direction.common_uj * seconds
        for number, more in direction.more_uj:
            total[window.columns[number]] += share * more
    return total


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), windows()), max_size=12), st.data(), st.sampled_from([None, 1, 3]))
def test_what_was_told_in_all_is_what_the_sums_make(
    drawn: list[tuple[bool, Doubted]], data: st.DataObject, remembered: int | None
) -> None:
    doubts, (solution, mean_w) = Doubts(remembered), data.draw(solutions())
    past: list[Doubted] = []
    old: dict[str, float] = {}
    told: dict[str, float] = {}
    for solved, window in drawn:
        if solved:
            solution, mean_w = data.draw(solutions())
        doubts.add(window, solution, mean_w)
        past.append(window)
        if remembered is not None and len(past) > remembered:
            gone = past.pop(0)
            for row, owner in enumerate(gone.owners):
                split_uj = error_uj(added([(gone, row)]), solution, mean_w)
                old[str(owner)] = old.get(str(owner), 0.0) + math.hypot(split_uj, gone.floors_uj[row])
                if not any(owner in one.owners for one in past):
                    old.pop(str(owner))
                    told.pop(str(owner), None)
        for owner, news_uj in zip(window.owners, doubts.news_uj(window.owners), strict=True):
            name = str(owner)
            told[name] = told.get(name, 0.0) + news_uj
            rows = [(one, one.owners.index(owner)) for one in past if owner in one.owners]
            floor_uj = sum(one.floors_uj[row] for one, row in rows)
            expected = old.get(name, 0.0) + math.hypot(error_uj(added(rows), solution, mean_w), floor_uj)
            assert told[name] == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_a_basis_has_the_prior_of_columns_without_evidence() -> None:
    basis = Basis(("a", "b"), Solution(("b",), (1.0,), ((4.0,),), place={"b": 0}), 10.0)
    assert basis.square([1.0, 0.0]) == pytest.approx((PROGRAM_SE * 10) ** 2)
    assert basis.square([0.0, 1.0]) == pytest.approx(4.0)
