"""From the energy of a run to its greenhouse gas, its price and things that take as much."""

from __future__ import annotations

from msgspec.structs import replace

from aipower.footprint.equivalents import KWH_J, equivalents
from aipower.footprint.settings import Footprint
from aipower.runrecord import CarbonRecord, CostRecord, Interval, RunRecord

CONFIGURED = "configured"
"""The source of an intensity that the user has given as a number."""


def with_footprint(record: RunRecord, footprint: Footprint) -> RunRecord:
    """The record with what its measured energy stands for; each is None that is not configured or not measured.

    Carbon and cost are of the energy times the PUE, equivalents are of the energy as it was measured. The intervals
    come from the energy's interval alone: intensity, price and PUE are taken as exact.

    Raises:
        UsageError: The zone is not in the table; not where the footprint comes from `load_footprint`.
    """
    energy_j, interval_j = record.energy_j.total, record.interval_j.total
    if energy_j is None or interval_j is None:
        return replace(record, carbon=None, cost=None, equivalents=[])
    carbon = carbon_of(energy_j, interval_j, footprint)
    return replace(
        record,
        carbon=carbon,
        cost=cost_of(energy_j, interval_j, footprint),
        equivalents=equivalents(energy_j, None if carbon is None else carbon.co2e_g),
    )


def carbon_of(energy_j: float, interval_j: Interval, footprint: Footprint) -> CarbonRecord | None:
    """Grams of CO2 equivalent: kWh times PUE times intensity; None where the place is not known.

    Raises:
        UsageError: The zone is not in the table.
    """
    intensity = _intensity(footprint)
    if intensity is None:
        return None
    g_per_kwh, year, source = intensity
    g_per_j = g_per_kwh * footprint.pue / KWH_J
    return CarbonRecord(
        co2e_g=energy_j * g_per_j,
        interval_g=_times(interval_j, g_per_j),
        intensity_g_per_kwh=g_per_kwh,
        zone=footprint.zone,
        year=year,
        source=source,
        pue=footprint.pue,
    )


def cost_of(energy_j: float, interval_j: Interval, footprint: Footprint) -> CostRecord | None:
    """Kilowatt-hours times PUE times price; None where no price is configured."""
    if footprint.price_per_kwh is None:
        return None
    price_per_j = footprint.price_per_kwh * footprint.pue / KWH_J
    return CostRecord(
        amount=energy_j * price_per_j,
        interval=_times(interval_j, price_per_j),
        currency=footprint.currency,
        price_per_kwh=footprint.price_per_kwh,
        pue=footprint.pue,
    )


def _intensity(footprint: Footprint) -> tuple[float, int | None, str] | None:
    """Grams per kWh, the year and the source."""
    if footprint.intensity_g_per_kwh is not None:
        return footprint.intensity_g_per_kwh, None, CONFIGURED
    if not footprint.zone:
        return None
    from aipower.footprint.grid import ATTRIBUTION, find_zone  # noqa: PLC0415 - only who has a zone needs the table

    zone = find_zone(footprint.zone)
    return zone.g_per_kwh, zone.year, ATTRIBUTION


def _times(interval: Interval, factor: float) -> Interval:
    return interval[0] * factor, interval[1] * factor
