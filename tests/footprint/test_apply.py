"""From joules to grams and money, held against figures computed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.footprint.apply import with_footprint
from aipower.footprint.settings import Footprint
from aipower.runrecord import from_json, to_json
from footprint.records import EUROS, FIXED, RECORD, record_of


def test_carbon_by_hand() -> None:
    """1.5 MJ are 0.41667 kWh; at 360 g/kWh that is 150 g, with a PUE of 1.2 it is 180 g."""
    carbon = with_footprint(RECORD, replace(FIXED, pue=1.2)).carbon
    assert carbon is not None
    assert carbon.co2e_g == pytest.approx(180.0)
    assert carbon.interval_g == pytest.approx((144.0, 216.0))
    assert (carbon.intensity_g_per_kwh, carbon.pue) == (360.0, 1.2)
    assert (carbon.zone, carbon.year, carbon.source) == ("", None, "configured")


def test_carbon_of_a_zone_by_hand() -> None:
    """Germany in 2024: 344.1 g/kWh times 0.41667 kWh are 143.375 g."""
    carbon = with_footprint(RECORD, Footprint(zone="DEU")).carbon
    assert carbon is not None
    assert carbon.co2e_g == pytest.approx(143.375)
    assert carbon.interval_g == pytest.approx((114.7, 172.05))
    assert (carbon.intensity_g_per_kwh, carbon.pue) == (344.1, 1.0)
    assert (carbon.zone, carbon.year, carbon.source) == ("DEU", 2024, "Ember via Our World in Data, CC BY 4.0")


def test_cost_by_hand() -> None:
    """0.41667 kWh at 0.3 EUR are 0.125 EUR, with a PUE of 1.2 they are 0.15 EUR."""
    cost = with_footprint(RECORD, replace(EUROS, pue=1.2)).cost
    assert cost is not None
    assert cost.amount == pytest.approx(0.15)
    assert cost.interval == pytest.approx((0.12, 0.18))
    assert (cost.currency, cost.price_per_kwh, cost.pue) == ("EUR", 0.3, 1.2)


def test_without_a_place_there_is_no_carbon_and_without_a_price_no_cost() -> None:
    done = with_footprint(RECORD, Footprint(pue=1.5))
    assert done.carbon is None
    assert done.cost is None
    assert with_footprint(RECORD, EUROS).carbon is None
    assert with_footprint(RECORD, FIXED).cost is None


def test_what_was_not_measured_has_no_footprint_although_it_was_estimated() -> None:
    done = with_footprint(record_of(None, None), replace(EUROS, zone="DEU"))
    assert (done.carbon, done.cost, done.equivalents) == (None, None, [])


def test_an_old_footprint_does_not_stay() -> None:
    before = with_footprint(RECORD, replace(EUROS, zone="DEU"))
    assert with_footprint(before, Footprint()).carbon is None
    assert with_footprint(before, Footprint()).cost is None


def test_no_energy_is_no_carbon_but_a_known_one() -> None:
    carbon = with_footprint(record_of(0.0, (0.0, 1.0)), FIXED).carbon
    assert carbon is not None
    assert carbon.co2e_g == 0


def test_an_intensity_of_zero_is_a_figure() -> None:
    carbon = with_footprint(RECORD, Footprint(intensity_g_per_kwh=0.0)).carbon
    assert carbon is not None
    assert carbon.co2e_g == 0


def test_equivalents_are_of_the_energy_without_the_pue() -> None:
    """1.5 MJ are 0.41667 kWh: 1.984 km at 0.21 kWh/km."""
    found = {each.unit: each.amount for each in with_footprint(RECORD, Footprint(pue=2.0)).equivalents}
    assert found["km by electric car"] == pytest.approx(1.98413, rel=1e-5)


def test_nothing_else_of_the_record_changes_and_it_survives_a_file() -> None:
    done = with_footprint(RECORD, replace(EUROS, zone="FRA"))
    assert replace(done, carbon=None, cost=None, equivalents=[]) == RECORD
    assert from_json(to_json(done)) == done


@given(
    st.floats(min_value=0, max_value=1e18),
    st.floats(min_value=1, max_value=10),
    st.floats(min_value=0, max_value=5000),
)
def test_carbon_is_proportional_and_within_its_interval(energy_j: float, pue: float, g_per_kwh: float) -> None:
    footprint = Footprint(pue=pue, intensity_g_per_kwh=g_per_kwh)
    carbon = with_footprint(record_of(energy_j, (0.9 * energy_j, 1.1 * energy_j)), footprint).carbon
    assert carbon is not None
    assert carbon.co2e_g == pytest.approx(energy_j / 3.6e6 * pue * g_per_kwh)
    assert carbon.interval_g[0] <= carbon.co2e_g <= carbon.interval_g[1]
