"""First runs that stand out, outliers, trends: found where they are, and seldom where they are not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.run.repeat.oddities import LEAST, MOST_BLOCKS, first_excess, outliers, trend

STEADY = [100.0, 101.0, 99.5, 100.5, 99.0, 100.2, 100.8, 99.7]
SERIES = 600
ALARMS = 0.025
"""Twice and a half what the tests aim at: `SERIES` series show 1 % only roughly."""


def normal_series(count: int, deviation: float = 5.0) -> list[list[float]]:
    dice = random.Random(count)
    return [[dice.gauss(100.0, deviation) for _ in range(count)] for _ in range(SERIES)]


@pytest.mark.parametrize("count", [5, 6, 8, 10, 20, 40])
def test_false_alarms_are_rare(count: int) -> None:
    series = normal_series(count)
    for alarm in (first_excess, outliers, trend):
        assert sum(bool(alarm(values)) for values in series) <= ALARMS * SERIES, alarm.__name__


def test_first_run_that_stands_out_is_found_with_how_much_it_took_more() -> None:
    found = first_excess([130.0, *STEADY])
    assert found == pytest.approx(0.30, abs=0.01)


def test_first_run_that_took_less_needs_no_warm_up() -> None:
    assert first_excess([70.0, *STEADY]) is None


def test_other_run_that_stands_out_is_no_first_one() -> None:
    values = [*STEADY[:4], 150.0, *STEADY[4:]]
    assert first_excess(values) is None
    assert outliers(values) == [4]


def test_outliers_to_both_sides_are_found() -> None:
    assert outliers([*STEADY, 60.0, *STEADY, 140.0]) == [8, 17]


def test_few_values_show_nothing() -> None:
    values = [500.0, *STEADY[: LEAST - 2]]
    assert first_excess(values) is None
    assert outliers(values) == []
    assert trend([1.0, 2.0, 3.0, 4.0]) is None


def test_equal_values_but_one_are_told_from_it() -> None:
    assert first_excess([110.0] + [100.0] * 6) == pytest.approx(0.1)
    assert outliers([100.0] * 6 + [110.0]) == [6]


def test_what_is_within_a_percent_is_not_worth_telling() -> None:
    assert first_excess([100.9] + [100.0] * 9) is None
    assert outliers([100.0] * 9 + [100.9]) == []
    assert trend([100.0 + 0.05 * step for step in range(12)]) is None


@pytest.mark.parametrize("slope", [0.01, -0.01])
def test_trend_is_found_with_its_size(slope: float) -> None:
    dice = random.Random(1)
    values = [100.0 * (1 + slope * step) + dice.gauss(0, 0.5) for step in range(12)]
    found = trend(values)
    assert found is not None
    assert found.relative == pytest.approx(11 * slope, rel=0.15)


def test_one_outlier_makes_no_trend() -> None:
    assert trend([*STEADY, 200.0]) is None


def test_trend_of_many_values_is_found_by_blocks() -> None:
    dice = random.Random(3)
    count = 10 * MOST_BLOCKS
    found = trend([100.0 * (1 + 0.1 * step / count) + dice.gauss(0, 3) for step in range(count)])
    assert found is not None
    assert found.relative == pytest.approx(0.1, rel=0.15)


@given(st.lists(st.floats(0, 1e9), max_size=40), st.floats(1e-3, 1e3))
def test_nothing_depends_on_the_unit(values: list[float], factor: float) -> None:
    scaled = [value * factor for value in values]
    if all(value == 0 or value > 1e-200 for value in values):
        assert outliers(scaled) == outliers(values) or _near_the_limit(values)


def _near_the_limit(values: list[float]) -> bool:
    """Rounding may decide where a value lies on the very limit."""
    return outliers([value * (1 + 1e-9 * place) for place, value in enumerate(values)]) != outliers(values)


@given(st.lists(st.floats(1, 1e6), min_size=2, max_size=30))
def test_trend_turns_with_the_series(values: list[float]) -> None:
    forth, back = trend(values), trend(values[::-1])
    assert (forth is None) == (back is None)
    if forth is not None and back is not None:
        assert forth.z == pytest.approx(-back.z)
        assert forth.relative * back.relative < 0


@given(st.lists(st.just(5.0), max_size=30))
def test_equal_values_are_never_odd(values: list[float]) -> None:
    assert first_excess(values) is None
    assert outliers(values) == []
    assert trend(values) is None
