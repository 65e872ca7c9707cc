from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.statistics.student import t_cdf, t_quantile, two_sided

PUBLISHED = (
    # freedom, probability, quantile: Abramowitz and Stegun, table 26.10
    (1, 0.975, 12.706),
    (1, 0.995, 63.657),
    (2, 0.975, 4.303),
    (3, 0.95, 2.353),
    (4, 0.975, 2.776),
    (5, 0.995, 4.032),
    (9, 0.975, 2.262),
    (10, 0.9995, 4.587),
    (30, 0.975, 2.042),
    (120, 0.975, 1.980),
    (math.inf, 0.975, 1.960),
)


@pytest.mark.parametrize(("freedom", "probability", "quantile"), PUBLISHED)
def test_quantiles_are_those_of_the_published_table(freedom: float, probability: float, quantile: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(quantile, abs=0.0006)


def test_one_degree_of_freedom_is_the_cauchy_distribution() -> None:
    for t in (-7.0, -1.0, 0.0, 0.3, 40.0):
        assert t_cdf(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-13)


def test_two_degrees_of_freedom_have_a_closed_form() -> None:
    for t in (-3.0, 0.5, 9.0):
        assert t_cdf(t, 2) == pytest.approx(0.5 + t / (2 * math.sqrt(2 + t * t)), abs=1e-13)


@given(st.floats(0.0005, 0.9995), st.floats(1, 500))
def test_the_quantile_is_the_inverse(probability: float, freedom: float) -> None:
    assert t_cdf(t_quantile(probability, freedom), freedom) == pytest.approx(probability, abs=1e-9)


@given(st.floats(0.5, 300), st.floats(0, 50), st.floats(0.001, 5))
def test_the_distribution_rises_and_is_symmetric(freedom: float, t: float, more: float) -> None:
    assert t_cdf(t + more, freedom) >= t_cdf(t, freedom) - 1e-14
    assert t_cdf(-t, freedom) == pytest.approx(1 - t_cdf(t, freedom), abs=1e-12)


def test_two_sided_counts_both_tails() -> None:
    assert two_sided(2.776, 4) == pytest.approx(0.05, abs=1e-4)
    assert two_sided(-2.776, 4) == two_sided(2.776, 4)


def test_much_freedom_comes_close_to_the_normal_distribution() -> None:
    for freedom in (1e4, 9e5, 1.1e6, 1e12, 1e300):
        assert t_quantile(0.975, freedom) == pytest.approx(1.959964, abs=3 / freedom + 1e-6)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="probability"):
        t_quantile(1.0, 5)
    with pytest.raises(ValueError, match="freedom"):
        t_cdf(1.0, 0)
