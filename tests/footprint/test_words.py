"""The lines of the report: a figure never stands without what it rests on."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.footprint.apply import with_footprint
from aipower.footprint.settings import Footprint
from aipower.footprint.words import carbon_words, cost_words, footprint_rows
from aipower.runrecord import CarbonRecord, CostRecord, EquivalentRecord, RunRecord
from footprint.records import EUROS, FIXED, RECORD, record_of

ANY = st.floats()
"""JSON of other programs may hold infinities and worse."""


def carbon_of(record: RunRecord, footprint: Footprint) -> CarbonRecord:
    carbon = with_footprint(record, footprint).carbon
    assert carbon is not None
    return carbon


def cost_of(record: RunRecord, footprint: Footprint) -> CostRecord:
    cost = with_footprint(record, footprint).cost
    assert cost is not None
    return cost


def test_carbon_of_a_zone() -> None:
    assert carbon_words(carbon_of(RECORD, Footprint(zone="DEU"))) == (
        "143 g CO2e  [115 .. 172 g]  "
        "344.1 g/kWh DEU 2024 annual average (Ember via Our World in Data, CC BY 4.0), PUE 1.0"
    )


def test_carbon_of_a_number_that_the_user_gave() -> None:
    assert (
        carbon_words(carbon_of(RECORD, replace(FIXED, pue=1.58)))
        == "237 g CO2e  [190 .. 284 g]  360 g/kWh (configured), PUE 1.58"
    )


def test_cost_with_price_and_pue() -> None:
    assert cost_words(cost_of(RECORD, EUROS)) == "0.125 EUR  [0.100 .. 0.150 EUR]  0.3 EUR/kWh, PUE 1.0"


@pytest.mark.parametrize(
    ("energy_j", "written"),
    [
        (1e-3, "100 ng CO2e  [50 .. 100 ng]"),
        (1.0, "100 µg CO2e  [50 .. 100 µg]"),
        (3.6e6, "360 g CO2e  [180 .. 360 g]"),
        (4.6332e12, "463 t CO2e  [232 .. 463 t]"),
        (3.6e15, "360 kt CO2e  [180 .. 360 kt]"),
    ],
)
def test_right_from_millijoules_to_terawatt_hours(energy_j: float, written: str) -> None:
    words = carbon_words(carbon_of(record_of(energy_j, (energy_j / 2, energy_j)), FIXED))
    assert words.startswith(written)


def test_an_energy_without_an_interval_has_none_in_words() -> None:
    record = record_of(3.6e6, (3.6e6, 3.6e6))
    assert carbon_words(carbon_of(record, FIXED)) == "360 g CO2e  360 g/kWh (configured), PUE 1.0"
    assert cost_words(cost_of(record, EUROS)) == "0.300 EUR  0.3 EUR/kWh, PUE 1.0"


def test_the_rows_of_a_report() -> None:
    rows = footprint_rows(with_footprint(RECORD, replace(EUROS, zone="DEU")))
    assert [label for label, _ in rows] == ["carbon", "cost", "equals", "equals"]
    assert rows[2][1].startswith("4.22 litres of water heated from 15 to 100 °C  (98.8 Wh each")
    assert rows[3][1] == "35.9 smartphone charges  (11.6 Wh each: US EPA, 2020)"
    assert len(footprint_rows(with_footprint(RECORD, Footprint()), most_equivalents=0)) == 0


@given(ANY, ANY, ANY)
@example(float("inf"), float("-inf"), float("nan"))
@example(0.0, 0.0, -1.0)
def test_no_number_of_a_file_does_harm(value: float, low: float, high: float) -> None:
    record = replace(
        RECORD,
        carbon=CarbonRecord(value, (low, high), value, "DEU", 2024, "somebody", value),
        cost=CostRecord(value, (low, high), "EUR", value, value),
        equivalents=[EquivalentRecord(value, "things", "somebody", 2024)],
    )
    rows = footprint_rows(record)
    assert [label for label, _ in rows][:2] == ["carbon", "cost"]
    assert all(text.isprintable() for _, text in rows)


def test_a_record_without_a_footprint_has_no_rows() -> None:
    assert footprint_rows(RECORD) == []
