from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.statistics import geometric_mean_interval, mean, mean_interval, relative_half_width, variance

VALUES = st.lists(st.floats(0.1, 1e6), min_size=2, max_size=30)


def test_mean_interval_of_a_textbook_sample() -> None:
    # mean 10, sample standard deviation sqrt(10 / 4), t(0.975, 4) = 2.7764: half-width 1.963
    middle, low, high = mean_interval([8.0, 9.0, 10.0, 11.0, 12.0])
    assert middle == 10
    assert high - middle == pytest.approx(2.7764 * math.sqrt(2.5 / 5), rel=1e-4)
    assert low == pytest.approx(20 - high)


def test_a_higher_confidence_is_wider() -> None:
    assert mean_interval([1.0, 2.0, 4.0], 0.99)[2] > mean_interval([1.0, 2.0, 4.0])[2]


def test_geometric_mean_interval_stays_above_zero() -> None:
    middle, low, high = geometric_mean_interval([1.0, 100.0])
    assert middle == pytest.approx(10)
    assert 0 < low < middle < high
    assert middle / low == pytest.approx(high / middle)


@given(VALUES, st.floats(0.01, 100))
def test_the_relative_half_width_does_not_know_the_unit(values: list[float], scale: float) -> None:
    scaled = [scale * value for value in values]
    assert relative_half_width(scaled) == pytest.approx(relative_half_width(values), rel=1e-6, abs=1e-9)


def test_one_value_has_no_interval() -> None:
    for function in (mean_interval, geometric_mean_interval, relative_half_width):
        with pytest.raises(ValueError, match=r"two values|freedom"):
            function([3.0])
    with pytest.raises(ValueError, match="two values"):
        variance([3.0])
    with pytest.raises(ValueError, match="no value"):
        mean([])


def test_no_part_of_a_mean_of_zero() -> None:
    with pytest.raises(ValueError, match="mean is 0"):
        relative_half_width([-1.0, 1.0])
