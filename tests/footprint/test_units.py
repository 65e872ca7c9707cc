"""Masses, sums and counts, right over twenty powers of ten."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.footprint import units

FACTORS_G = {"ng": 1e-9, "µg": 1e-6, "mg": 1e-3, "g": 1.0, "kg": 1e3, "t": 1e6, "kt": 1e9, "Mt": 1e12, "Gt": 1e15}


@pytest.mark.parametrize(
    ("mass_g", "written"),
    [
        (0.0, "0.00 g"),
        (1.2e-7, "120 ng"),
        (4.78e-4, "478 µg"),
        (0.0123, "12.3 mg"),
        (12.0, "12.0 g"),
        (999.4, "999 g"),
        (999.6, "1.00 kg"),
        (552e6, "552 t"),
        (999_400.0, "999 kg"),
        (999_999.0, "1.00 t"),
        (4.4e11, "440 kt"),
        (1e12, "1.00 Mt"),
    ],
)
def test_a_mass_has_three_digits(mass_g: float, written: str) -> None:
    assert units.mass(mass_g) == written


@given(st.floats(min_value=1e-9, max_value=1e15))
def test_a_mass_is_right_from_nanograms_to_gigatonnes(mass_g: float) -> None:
    number, unit = units.mass(mass_g).split(" ")
    assert float(number) * FACTORS_G[unit] == pytest.approx(mass_g, rel=5.1e-3)
    assert len(number.replace(".", "")) == 3


@given(st.floats(min_value=0, max_value=1e15), st.floats(min_value=0, max_value=1e15))
def test_both_ends_of_a_range_have_the_unit_of_the_upper_one(one_g: float, other_g: float) -> None:
    low_g, high_g = sorted((one_g, other_g))
    found = re.fullmatch(r"\[([0-9.]+) \.\. ([0-9.]+) (\S+)\]", units.mass_range(low_g, high_g))
    assert found is not None
    low, high, unit = found.groups()
    assert float(low) <= float(high)
    assert abs(float(low) * FACTORS_G[unit] - low_g) <= 5.1e-3 * high_g + 5.1e-12
    assert abs(float(high) * FACTORS_G[unit] - high_g) <= 5.1e-3 * high_g + 5.1e-12


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (0.0, "0.00 EUR"),
        (8.3e-11, "8.30e-11 EUR"),
        (0.0000123, "0.0000123 EUR"),
        (0.0123, "0.0123 EUR"),
        (0.12, "0.120 EUR"),
        (0.9996, "1.00 EUR"),
        (12345.678, "12,345.68 EUR"),
    ],
)
def test_a_sum_of_money(amount: float, written: str) -> None:
    assert units.money(amount, "EUR") == written


def test_both_ends_of_a_sum_have_the_decimals_of_the_upper_one() -> None:
    assert units.money_range(0.0001, 0.0123, "EUR") == "[0.0001 .. 0.0123 EUR]"
    assert units.money_range(1e-8, 1e-7, "EUR") == "[1.00e-08 .. 1.00e-07 EUR]"


@given(st.floats(min_value=1e-12, max_value=1e15))
def test_a_sum_is_right_whatever_its_size(amount: float) -> None:
    number = units.money(amount, "EUR").split(" ")[0].replace(",", "")
    assert float(number) == pytest.approx(amount, rel=5.1e-3)


@pytest.mark.parametrize(
    ("amount", "written"),
    [(6435.0, "6,435"), (6_400_000.0, "6,400,000"), (99.96, "100"), (4.2857, "4.29"), (0.018734, "0.0187")],
)
def test_a_count_is_no_more_precise_than_it_is_known(amount: float, written: str) -> None:
    assert units.count(amount) == written


@given(st.floats(min_value=0.01, max_value=1e15))
def test_a_count_is_right_whatever_its_size(amount: float) -> None:
    assert float(units.count(amount).replace(",", "")) == pytest.approx(amount, rel=5.1e-3)


@pytest.mark.parametrize(("pue", "written"), [(1.0, "PUE 1.0"), (1.5, "PUE 1.5"), (1.58, "PUE 1.58")])
def test_a_pue_always_has_a_decimal(pue: float, written: str) -> None:
    assert units.pue(pue) == written
