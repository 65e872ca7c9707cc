"""One line for each figure, with all that it rests on: zone, year and source never stand apart from it."""

from __future__ import annotations

import math

from aipower.footprint import units
from aipower.runrecord import CarbonRecord, CostRecord, EquivalentRecord, RunRecord

SHOWN_EQUIVALENTS, HANDY = 2, 10


def carbon_words(carbon: CarbonRecord) -> str:
    """`12.3 g CO2e  [11.7 .. 12.9 g]  344.1 g/kWh DEU 2024 annual average (Ember …), PUE 1.0`.

    The interval is left out where it is a point: of an energy that was typed, not measured.
    """
    low_g, high_g = carbon.interval_g
    interval = f"  {units.mass_range(low_g, high_g)}" if low_g != high_g else ""
    return f"{units.mass(carbon.co2e_g)} CO2e{interval}  {_basis(carbon)}, {units.pue(carbon.pue)}"


def cost_words(cost: CostRecord) -> str:
    """`0.0123 EUR  [0.0117 .. 0.0129 EUR]  0.3 EUR/kWh, PUE 1.0`; the interval as in `carbon_words`."""
    low, high = cost.interval
    interval = f"  {units.money_range(low, high, cost.currency)}" if low != high else ""
    price = f"{cost.price_per_kwh:g} {cost.currency}/kWh"
    return f"{units.money(cost.amount, cost.currency)}{interval}  {price}, {units.pue(cost.pue)}"


def equivalent_words(equivalent: EquivalentRecord) -> str:
    """`6,435 household-months in China  (200 kWh a month: …, 2021)`."""
    return f"{units.count(equivalent.amount)} {thing_words(equivalent)}"


def thing_words(equivalent: EquivalentRecord) -> str:
    """What is counted, how large one is, who says so and of which year."""
    return f"{equivalent.unit}  ({equivalent.source}, {equivalent.year})"


def footprint_rows(record: RunRecord, most_equivalents: int = SHOWN_EQUIVALENTS) -> list[tuple[str, str]]:
    """A label and a text for each figure that the record has, to be printed below its total."""
    rows = []
    if record.carbon is not None:
        rows.append(("carbon", carbon_words(record.carbon)))
    if record.cost is not None:
        rows.append(("cost", cost_words(record.cost)))
    return rows + [("equals", equivalent_words(each)) for each in _handiest(record.equivalents, most_equivalents)]


def _handiest(equivalents: list[EquivalentRecord], most: int) -> list[EquivalentRecord]:
    """Those of which there are about ten, which is what people can imagine; in their order."""
    sound = [each for each in equivalents if 0 < each.amount < math.inf]
    near = sorted(sound, key=lambda each: abs(math.log10(each.amount) - math.log10(HANDY)))[:most]
    return [each for each in sound if each in near]


def _basis(carbon: CarbonRecord) -> str:
    intensity = f"{carbon.intensity_g_per_kwh:g} g/kWh"
    if carbon.year is None:
        return f"{intensity} ({carbon.source})"
    return f"{intensity} {carbon.zone} {carbon.year} annual average ({carbon.source})"
