"""What the node costs and emits, as configured."""

from __future__ import annotations

from msgspec import Struct

from aipower.footprint.apply import carbon_of, cost_of
from aipower.footprint.settings import Footprint
from aipower.runrecord import CarbonRecord, CostRecord
from aipower_exporters.api.documents.footprint import Footprint as FootprintDocument
from aipower_exporters.api.numbers import rounded

S_PER_H = 3600.0
DIGITS = 6
Pair = tuple[float, float]


class Used(Struct, frozen=True):
    """What the figures are made of; what is not known is None."""

    power_w: float | None
    energy_j: float
    half_j: float | None


class _Figures(Struct, frozen=True):
    """Money or grams."""

    per_h: float | None = None
    amount: float | None = None
    interval: Pair | None = None


class Rates(Struct, frozen=True):
    """What a joule stands for; all figures are in proportion to energy."""

    configured: Footprint
    cost: CostRecord | None
    """Of one joule, as `carbon`."""
    carbon: CarbonRecord | None


def rates(configured: Footprint) -> Rates:
    """Looks the zone up, once for all.

    Raises:
        UsageError: The zone is not in the table; not where the footprint comes from `load_footprint`.
    """
    return Rates(configured, cost_of(1.0, (1.0, 1.0), configured), carbon_of(1.0, (1.0, 1.0), configured))


def footprint(used: Used, of_joule: Rates) -> FootprintDocument | None:
    """Cost and greenhouse gas; None where nothing is configured."""
    cost, carbon, configured = of_joule.cost, of_joule.carbon, of_joule.configured
    if cost is None and carbon is None:
        return None
    money = _Figures() if cost is None else _figures(used, cost.amount)
    gas = _Figures() if carbon is None else _figures(used, carbon.co2e_g)
    return FootprintDocument(
        currency=configured.currency,
        price_per_kwh=configured.price_per_kwh,
        pue=configured.pue,
        intensity_g_per_kwh=None if carbon is None else carbon.intensity_g_per_kwh,
        zone=configured.zone,
        source="" if carbon is None else carbon.source,
        cost_per_h=money.per_h,
        cost=money.amount,
        cost_interval=money.interval,
        co2e_g_per_h=gas.per_h,
        co2e_g=gas.amount,
        co2e_interval_g=gas.interval,
    )


def _figures(used: Used, per_j: float) -> _Figures:
    return _Figures(
        None if used.power_w is None else rounded(used.power_w * S_PER_H * per_j, DIGITS),
        rounded(used.energy_j * per_j, DIGITS),
        None if used.half_j is None else _interval(used.energy_j, used.half_j, per_j),
    )


def _interval(energy_j: float, half_j: float, per_j: float) -> Pair:
    low_j = max(0.0, energy_j - half_j)
    return round(low_j * per_j, DIGITS), round((energy_j + half_j) * per_j, DIGITS)
