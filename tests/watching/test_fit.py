"""Laws that are known are found again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.watching.fit import last_exponent, line, power_law, verdict

SIZES = [1.0, 2.0, 4.0, 8.0, 16.0]
NOISE = [1.02, 0.98, 1.01, 0.99, 1.0]


@given(st.floats(0.1, 3), st.floats(0.01, 100))
def test_a_power_law_is_found_again(exponent: float, factor: float) -> None:
    found = power_law(SIZES, [factor * x**exponent for x in SIZES])
    assert found.exponent == pytest.approx(exponent)
    assert found.factor == pytest.approx(factor)
    assert found.low <= found.exponent <= found.high


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_a_line_is_found_again(at_zero: float, slope: float) -> None:
    found = line(SIZES, [at_zero + slope * x for x in SIZES])
    assert found.at_zero == pytest.approx(at_zero, abs=1e-6)
    assert found.slope == pytest.approx(slope, abs=1e-6)


def test_noise_makes_the_interval_wide() -> None:
    found = power_law(SIZES, [x * noise for x, noise in zip(SIZES, NOISE, strict=True)])
    assert found.low < 1 < found.high
    assert found.high - found.low > 0.01


@pytest.mark.parametrize(
    ("exponent", "at_zero", "expected"),
    [
        (0.5, 0.0, "no worse than linear"),
        (1.0, 0.0, "no worse than linear"),
        (1.0, 5.0, "no worse than linear"),
        (2.0, 0.0, "worse than linear"),
        (2.0, 20.0, "cannot be told"),  # the cost at zero hides it from the power law, but not at the end
    ],
)
def test_verdicts(exponent: float, at_zero: float, expected: str) -> None:
    costs = [at_zero + x**exponent for x in SIZES]
    assert verdict(power_law(SIZES, costs), last_exponent(SIZES, costs)) == expected


def test_the_last_step_is_between_the_means_of_the_two_largest() -> None:
    assert last_exponent([1, 2, 2, 4, 4], [9, 1, 3, 7, 9]) == pytest.approx(math.log(4) / math.log(2))
