"""What else takes as much energy: few things, each with its source and its year.

They are for a feeling of the size, no measurement: each is an average of many different ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aipower.runrecord import EquivalentRecord

KWH_J = 3.6e6
WH_J = 3600.0
MILE_KM = 1.609344
LEAST = 0.01
"""Less than this of a thing says nothing."""


class Thing(Struct, frozen=True):
    """Something that takes energy."""

    unit: str
    """What is counted, in the plural."""
    each: float
    """Joules for one, or grams of CO2 of one."""
    source: str
    """How large one is, and who says so."""
    year: int
    """Of the figure; of its publication where it is not told."""
    most: float = 1e15
    """More than this of a thing says nothing either."""


HOUSEHOLD_CHINA_KWH = 200.0
"""1.17e12 kWh of residential use in 2021 (National Energy Administration, January 2022) for 494.16 million family
households (census of 2020) are 197 kWh a month."""
HOUSEHOLD_US_KWH = 893.0
"""10,715 kWh per residential customer in 2020 (EIA, frequently asked question 97)."""
HOUSEHOLD_EU_KWH = 300.0
"""3.6 MWh per dwelling and year in the EU of 27 (Odyssee-Mure, update of November 2025)."""
ELECTRIC_CAR_KWH_PER_KM = 0.21
"""Mean real-world use of 342 electric cars sold in Europe: 21 kWh per 100 km, standard deviation 4 (Weiss et al. 2024,
Sustainability 16, 7529, https://doi.org/10.3390/su16177529)."""
PETROL_CAR_G_PER_KM = 400 / MILE_KM
"""Average passenger vehicle in the US: 400 g of CO2 per mile from the tailpipe (EPA-420-F-23-014, June 2023)."""
SMARTPHONE_WH = 14.46 - 22 * 0.13
"""A day's 14.46 Wh less 22 hours of 0.13 W when full (equivalencies calculator of the US EPA, by the DOE, 2020)."""
LITRE_HEATED_J = 355.8e3
"""Enthalpy of water at 100 °C less that at 15 °C, 356.1 kJ/kg at 101.325 kPa, times 0.9991 kg/l (IAPWS R6-95)."""
GRAM_DEGREE_J = 4.18
"""Heat capacity of water at 25 °C (IAPWS R6-95)."""

BY_ENERGY = (
    Thing(
        "household-months in China",
        HOUSEHOLD_CHINA_KWH * KWH_J,
        "200 kWh a month: National Energy Administration, households of the census",
        2021,
    ),
    Thing("household-months in the US", HOUSEHOLD_US_KWH * KWH_J, "893 kWh a month: EIA", 2020),
    Thing("household-months in the EU", HOUSEHOLD_EU_KWH * KWH_J, "300 kWh a month: Odyssee-Mure", 2025),
    Thing(
        "km by electric car",
        ELECTRIC_CAR_KWH_PER_KM * KWH_J,
        "0.21 kWh a km: mean of 342 models in Europe, Weiss et al.",
        2024,
    ),
    Thing(
        "litres of water heated from 15 to 100 °C",
        LITRE_HEATED_J,
        "98.8 Wh each, without losses: IAPWS R6-95",
        2018,
        most=1e5,
    ),
    Thing("smartphone charges", SMARTPHONE_WH * WH_J, "11.6 Wh each: US EPA", 2020, most=1e5),
    Thing("grams of water heated by 1 °C", GRAM_DEGREE_J, "4.18 J each: IAPWS R6-95", 2018, most=1e4),
)
"""The largest first."""
BY_CARBON = (
    Thing(
        "km by the average car in the US",
        PETROL_CAR_G_PER_KM,
        "249 g of CO2 a km, tailpipe: US EPA",
        2023,
    ),
)


def equivalents(energy_j: float, co2e_g: float | None = None) -> list[EquivalentRecord]:
    """Those of `energy_j` joules, and of `co2e_g` grams where it is known, of which there is a sensible number."""
    found = [*_sensible(energy_j, BY_ENERGY)]
    return found if co2e_g is None else [*found, *_sensible(co2e_g, BY_CARBON)]


def _sensible(quantity: float, things: tuple[Thing, ...]) -> Iterator[EquivalentRecord]:
    for thing in things:
        amount = quantity / thing.each
        if LEAST <= amount <= thing.most:
            yield EquivalentRecord(amount, thing.unit, thing.source, thing.year)
