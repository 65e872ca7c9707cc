"""Energies as people type them, and as we write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import UsageError
from aipower.footprint.quantity import MOST_J, UNITS_J, parse_energy
from aipower.footprint.units import energy, si

MWH_J, TWH_J = 3.6e9, 3.6e15
ENERGIES_J = st.floats(min_value=1e-3, max_value=1e3 * TWH_J)


def energy_or_mistake(text: str) -> float | str:
    try:
        return parse_energy(text)
    except UsageError as error:
        return str(error)


def assert_sound(text: str) -> None:
    found = energy_or_mistake(text)
    assert found.isprintable() if isinstance(found, str) else 0 <= found <= MOST_J


@pytest.mark.parametrize(
    ("text", "energy_j"),
    [
        ("1287MWh", 1287 * MWH_J),
        ("1,287 MWh", 1287 * MWH_J),
        ("1,287.5 MWh", 1287.5 * MWH_J),
        ("1.28 GWh", 1280 * MWH_J),
        ("1.28 TWh", 1.28 * TWH_J),
        ("3.6kJ", 3600.0),
        ("250 mWh", 900.0),
        ("5 J", 5.0),
        ("  5   J ", 5.0),
        ("2e6 J", 2e6),
        ("2E-3J", 2e-3),
        ("2.e6 J", 2e6),
        (".5 Wh", 1800.0),
        ("+1Wh", 3600.0),
        ("1 µWh", 3.6e-3),
        ("1 \u03bcWh", 3.6e-3),
        ("1 uWh", 3.6e-3),
        ("1 mJ", 1e-3),
        ("1 MJ", 1e6),
        ("0 J", 0.0),
        ("1,000,000 J", 1e6),
    ],
)
def test_what_people_type(text: str, energy_j: float) -> None:
    assert parse_energy(text) == pytest.approx(energy_j, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("5 mwh", "mWh (a thousandth) or MWh (a million)"),
        ("5 MWH", "mWh (a thousandth) or MWh (a million)"),
        ("5 mj", "mJ (a thousandth) or MJ (a million)"),
        ("5 kwh", "did you mean kWh?"),
        ("5 KWh", "did you mean kWh?"),
        ("5 j", "did you mean J?"),
        ("5 gwh", "did you mean GWh?"),
        ("5 W", "write J or Wh"),
        ("5 MWh per year", "is no unit of energy"),
        ("1287", "1287 of what?"),
        ("MWh", "write a number and a unit"),
        ("", "write a number and a unit"),
        (".J", "write a number and a unit"),
        ("1,5 kWh", "a comma separates thousands"),
        ("12,87 MWh", "a comma separates thousands"),
        ("1287,000 MWh", "a comma separates thousands"),
        ("1.2.3 J", "a point decimals"),
        ("1,287.5,0 J", "a point decimals"),
        ("-5 J", "not negative"),
        ("1e400 J", "more energy than can be counted"),
        ("1e19 TWh", "more energy than can be counted"),
        ("\u0665 J", "write a number and a unit"),
    ],
)
def test_what_is_no_energy_is_told_in_one_line_with_the_remedy(text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_energy(text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


@given(st.text())
def test_no_text_does_harm(text: str) -> None:
    assert_sound(text)


@given(st.from_regex(r"[0-9.,eE+-]{1,12} ?[a-zA-Zµμ]{0,4}", fullmatch=True))
def test_nothing_near_an_energy_does_harm(text: str) -> None:
    assert_sound(text)


@given(ENERGIES_J)
def test_what_is_written_reads_back(energy_j: float) -> None:
    for part in energy(energy_j).split(" = "):
        assert parse_energy(part) == pytest.approx(energy_j, rel=5.1e-4)


@given(ENERGIES_J, ENERGIES_J)
def test_more_energy_is_never_written_as_less(one_j: float, other_j: float) -> None:
    low_j, high_j = sorted((one_j, other_j))
    for unit, worth_j in (("J", 1.0), ("Wh", 3600.0)):
        low, high = (parse_energy(si(each / worth_j, unit)) for each in (low_j, high_j))
        assert low <= high * (1 + 1e-12)


@given(ENERGIES_J)
def test_no_more_than_three_digits_before_the_point_with_the_best_prefix(energy_j: float) -> None:
    number, _, unit = si(energy_j, "J").partition(" ")
    assert 1 <= float(number) < 1000
    assert unit in UNITS_J


@pytest.mark.parametrize(
    ("energy_j", "written"),
    [
        (1287 * MWH_J, "1.287 GWh = 1287 MWh = 4.633 TJ"),
        (1.28 * TWH_J, "1.28 TWh = 1280 GWh = 4.608 PJ"),
        (900.0, "250 mWh = 900 J"),
        (0.0, "0 Wh = 0 J"),
        (3599.9999, "1 Wh = 1000 mWh = 3.6 kJ"),
        (3.6e-3, "1 µWh = 1000 nWh = 3.6 mJ"),
        (3.6e-6, "1 nWh = 3.6 µJ"),
    ],
)
def test_an_energy_is_written_in_several_units(energy_j: float, written: str) -> None:
    assert energy(energy_j) == written
