"""What energy stands for."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from aipower_exporters.api.documents.units import Grams, about

Price = Annotated[float, about("In the currency.")]


class Footprint(Struct, frozen=True):
    """Cost and greenhouse gas of the total; the intervals are the energy's, all else is taken as exact."""

    currency: Annotated[str, about("Of the cost, as in EUR; empty where no price is configured.")]
    price_per_kwh: Annotated[float | None, about("Price of a kilowatt-hour.")]
    pue: Annotated[float, about("Power usage effectiveness of the building, by which all is multiplied.")]
    intensity_g_per_kwh: Annotated[Grams | None, about("CO2 equivalent of a kilowatt-hour.")]
    zone: Annotated[str, about("ISO 3166-1 alpha-3 code of the country; empty where an intensity is configured.")]
    source: Annotated[str, about("Where the intensity comes from.")]
    cost_per_h: Annotated[Price | None, about("What an hour at the power of now costs.")]
    cost: Annotated[Price | None, about("Cost of the energy since the counters began.")]
    cost_interval: Annotated[tuple[float, float] | None, about("95 % interval of the cost.")]
    co2e_g_per_h: Annotated[Grams | None, about("CO2 equivalent of an hour at the power of now.")]
    co2e_g: Annotated[Grams | None, about("CO2 equivalent of the energy since the counters began.")]
    co2e_interval_g: Annotated[tuple[float, float] | None, about("95 % interval of the CO2 equivalent.")]
