from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.statistics.chisquare import chi2_cdf, chi2_quantile

PUBLISHED = (
    # freedom, probability, quantile: Abramowitz and Stegun, table 26.8
    (1, 0.05, 0.00393),
    (1, 0.95, 3.841),
    (2, 0.05, 0.1026),
    (4, 0.05, 0.7107),
    (9, 0.05, 3.325),
    (10, 0.95, 18.307),
    (30, 0.05, 18.493),
    (100, 0.95, 124.342),
)


@pytest.mark.parametrize(("freedom", "probability", "quantile"), PUBLISHED)
def test_quantiles_are_those_of_the_published_table(freedom: float, probability: float, quantile: float) -> None:
    assert chi2_quantile(probability, freedom) == pytest.approx(quantile, rel=2e-3)


@given(st.floats(0.001, 100))
def test_two_degrees_of_freedom_have_a_closed_form(x: float) -> None:
    assert chi2_cdf(x, 2) == pytest.approx(-math.expm1(-x / 2), abs=1e-12)


def test_the_ends() -> None:
    assert chi2_cdf(0, 3) == 0
    assert chi2_cdf(1e9, 3) == 1
    with pytest.raises(ValueError, match="freedom"):
        chi2_cdf(1, 0)
    with pytest.raises(ValueError, match="probability"):
        chi2_quantile(0, 3)
