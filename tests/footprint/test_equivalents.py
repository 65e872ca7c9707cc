"""Things that take as much energy; among them the press's example."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.footprint.equivalents import BY_CARBON, BY_ENERGY, HOUSEHOLD_CHINA_KWH, LEAST, equivalents
from aipower.footprint.quantity import parse_energy

CHINA = "household-months in China"


def amount(text: str, unit: str) -> float:
    return next(each.amount for each in equivalents(parse_energy(text)) if each.unit == unit)


def test_training_gpt3_took_what_6400_chinese_households_use_in_a_month() -> None:
    """Patterson et al. 2021 (arXiv 2104.10350): 1,287 MWh. The press: 1.28 terawatt-hours, and 6,400 households."""
    assert amount("1287MWh", CHINA) == pytest.approx(6435)
    assert amount("1.28GWh", CHINA) == pytest.approx(6400)
    assert amount("1287 MWh", "household-months in the US") == pytest.approx(1441.2, abs=0.1)
    assert amount("1287 MWh", "household-months in the EU") == pytest.approx(4290)


def test_with_the_unit_of_the_press_it_would_be_a_thousand_times_as_many() -> None:
    assert amount("1.28 TWh", CHINA) == pytest.approx(1000 * amount("1.28 GWh", CHINA))
    assert amount("1.28 TWh", CHINA) == pytest.approx(6.4e6)


def test_the_round_figure_for_china_is_the_statistics() -> None:
    """Residential use in 2021 over the family households of the census of 2020, per month."""
    month_kwh = 1.17e12 / 494.16e6 / 12
    assert month_kwh == pytest.approx(HOUSEHOLD_CHINA_KWH, rel=0.02)


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("21 kWh", "km by electric car", 100.0),
        ("11.6 Wh", "smartphone charges", 1.0),
        ("0.0988 kWh", "litres of water heated from 15 to 100 °C", 1.0),
        ("4.18 J", "grams of water heated by 1 °C", 1.0),
    ],
)
def test_one_of_each(text: str, unit: str, expected: float) -> None:
    assert amount(text, unit) == pytest.approx(expected, rel=1e-3)


def test_water_twice() -> None:
    """A litre by 85 degrees is about 85,000 grams by one."""
    litre, gram = (next(each.each for each in BY_ENERGY if each.unit.startswith(unit)) for unit in ("litre", "gram"))
    assert litre / gram == pytest.approx(85_000, rel=0.01)


def test_a_car_that_burns_petrol_is_counted_by_carbon_only() -> None:
    found = equivalents(0.0, co2e_g=400.0)
    assert [each.unit for each in found] == ["km by the average car in the US"]
    assert found[0].amount == pytest.approx(1.609344)
    assert not any(each.unit == found[0].unit for each in equivalents(1e12))


@pytest.mark.parametrize("energy_j", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_energy_has_no_equivalent(energy_j: float) -> None:
    assert equivalents(energy_j) == []


def test_each_has_a_source_a_size_and_a_year() -> None:
    for thing in (*BY_ENERGY, *BY_CARBON):
        assert any(char.isdigit() for char in thing.source), thing
        assert 2015 <= thing.year <= 2026


def test_the_largest_comes_first() -> None:
    things = [each for each in BY_ENERGY if not each.unit.startswith("household")]
    assert all(one.each > other.each for one, other in pairwise(things))


@given(st.floats(min_value=0.05, max_value=3.6e18))
def test_from_millijoules_on_there_is_something_to_compare_with(energy_j: float) -> None:
    found = equivalents(energy_j)
    assert found
    assert all(each.amount >= LEAST for each in found)
