from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.statistics.effect import detectable, repetitions
from aipower.statistics.ratio import Component, Group, freedom_of, ratio

VALUES = st.lists(st.floats(50, 200), min_size=2, max_size=8)


def test_welch_of_a_textbook_example() -> None:
    # Two samples whose logarithms are 1..5 and 2, 4, 6, 8: means 3 and 5, variances 5/2 and 20/3.
    base = Group([math.exp(x) for x in (1, 2, 3, 4, 5)])
    other = Group([math.exp(x) for x in (2, 4, 6, 8)])
    found = ratio(base, other)
    parts = (2.5 / 5, 20 / 3 / 4)
    assert found.log == pytest.approx(2)
    assert found.se == pytest.approx(math.sqrt(sum(parts)))
    assert found.freedom == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 4 + parts[1] ** 2 / 3))
    assert found.run_se == pytest.approx(found.se)


@given(VALUES, VALUES)
def test_the_other_way_round_is_the_inverse(base: list[float], other: list[float]) -> None:
    there, back = ratio(Group(base), Group(other)), ratio(Group(other), Group(base))
    assert there.log == pytest.approx(-back.log)
    assert there.half == pytest.approx(back.half)
    assert there.p == pytest.approx(back.p)


@given(VALUES, VALUES, st.floats(0.001, 1000))
def test_the_unit_does_not_matter(base: list[float], other: list[float], unit: float) -> None:
    found = ratio(Group(base), Group(other))
    scaled = ratio(Group([unit * v for v in base]), Group([unit * v for v in other]))
    assert scaled.log == pytest.approx(found.log, abs=1e-9)
    assert scaled.half == pytest.approx(found.half, rel=1e-5, abs=1e-9)


@given(VALUES, VALUES)
def test_the_interval_leaves_zero_out_just_where_p_is_small(base: list[float], other: list[float]) -> None:
    found = ratio(Group(base), Group(other), drift=0.001)
    low, high = found.interval
    if abs(found.p - 0.05) > 1e-6:
        assert (low > 0 or high < 0) == (found.p < 0.05)


def test_one_run_each_has_only_the_measurement() -> None:
    found = ratio(Group([100.0], [0.003]), Group([95.0], [0.004]))
    assert found.run_se is None
    assert found.half == pytest.approx(1.95996 * 0.005, rel=1e-4)


def test_one_run_against_many_is_taken_to_spread_as_they_do() -> None:
    many = [math.exp(x) for x in (1, 2, 3, 4, 5)]
    found = ratio(Group([math.exp(3)]), Group(many))
    assert found.log == pytest.approx(0)
    assert found.se == pytest.approx(math.sqrt(2.5 * (1 + 1 / 5)))
    assert found.freedom == pytest.approx(4)


def test_an_error_within_the_spread_is_not_counted_twice() -> None:
    spread = [99.0, 100.0, 101.0, 100.5, 99.5]  # 0.79 %
    assert ratio(Group(spread, [0.0081] * 5), Group(spread)).measurement_se == 0


def test_an_error_far_above_the_spread_stays_however_often_it_is_repeated() -> None:
    # 0.01 % of spread cannot hold an error of 3 %: it is the same in each run.
    values = [100 + 0.01 * (n % 3) for n in range(30)]
    found = ratio(Group(values, [0.03] * 30), Group(values))
    assert found.measurement_se == pytest.approx(0.03, rel=0.01)
    assert found.half > 0.05


def test_two_runs_against_many_are_judged_with_caution() -> None:
    # By Cochran and Cox the quantile is the mean of those of 1 and 4 degrees of freedom, weighted by variance.
    two, many = [math.exp(x) for x in (0.0, 2.0)], [math.exp(x) for x in (1, 2, 3, 4, 5)]
    found = ratio(Group(two), Group(many))
    variances = (2.0 / 2, 2.5 / 5)
    quantile = (variances[0] * 12.7062 + variances[1] * 2.7764) / sum(variances)
    assert found.half == pytest.approx(quantile * math.sqrt(sum(variances)), rel=1e-4)
    assert ratio(Group([5.0, 5.0]), Group([5.0] * 3)).half == 0


def test_identical_runs_differ_by_nothing_or_for_sure() -> None:
    assert ratio(Group([5.0, 5.0]), Group([5.0, 5.0])).p == 1
    assert ratio(Group([5.0, 5.0]), Group([6.0, 6.0])).p == 0


def test_the_scale_and_the_drift_widen() -> None:
    base, other = Group([100.0, 101.0, 99.0]), Group([90.0, 91.0, 89.0])
    plain = ratio(base, other)
    assert ratio(base, other, scale_se=0.05).half > plain.half
    assert ratio(base, other, drift=0.02).half == pytest.approx(plain.half + 0.02)


def test_tiny_variances_keep_their_degrees_of_freedom() -> None:
    assert freedom_of([Component(1e-200, 4), Component(1e-200, 4)]) == pytest.approx(8)
    assert freedom_of([Component(0.0)]) == math.inf


def test_what_is_said_to_be_detectable_is_shown_in_four_cases_of_five() -> None:
    rng, shown, cases = random.Random(5), 0, 1500
    spread, count = 0.01, 5
    target = repetitions_reach(spread, count)
    for _ in range(cases):
        base = Group([math.exp(rng.gauss(0, spread)) for _ in range(count)])
        other = Group([math.exp(rng.gauss(target, spread)) for _ in range(count)])
        shown += ratio(base, other).p < 0.05
    assert 0.76 < shown / cases < 0.84


def repetitions_reach(spread: float, count: int) -> float:
    """What is detectable where each side shows exactly `spread`."""
    logs = [spread * x * math.sqrt((count - 1) / 10) for x in (-2, -1, 0, 1, 2)]
    group = Group([math.exp(x) for x in logs])
    return detectable(ratio(group, group))


def test_repetitions() -> None:
    group = Group([99.0, 100.0, 101.0])
    found = ratio(group, group)
    # By the normal approximation 2 (1.96 + 0.84)^2 (0.01 / 0.05)^2 = 0.6, by Student's t a little more than that.
    assert repetitions(found, 1e-4, 0.05) == 3
    assert 16 <= (repetitions(found, 1e-4, 0.01) or 0) <= 18
    blind = ratio(group, group, scale_se=0.05)
    assert repetitions(blind, 1e-4, 0.01) is None
