"""How much greenhouse gas a kilowatt-hour of a country's electricity stands for: Ember's yearly figures.

The table is `data/grid_intensity.csv`; `data/LICENSE.grid_intensity.txt` says whose it is and what was changed.
"""

from __future__ import annotations

from msgspec import Struct

from aipower.errors import UsageError

ATTRIBUTION = "Ember via Our World in Data, CC BY 4.0"
"""The licence wants it beside the figures."""
TABLE = "grid_intensity.csv"
NEAR = 3
"""How many near names an error tells."""
LONGEST = 40


class Zone(Struct, frozen=True):
    """One country."""

    iso3: str
    """ISO 3166-1 alpha-3."""
    name: str
    g_per_kwh: float
    """Grams of CO2 equivalent per kilowatt-hour generated there, over the life of the plants."""
    year: int


def zones() -> tuple[Zone, ...]:
    """All of the table, by code."""
    import csv  # noqa: PLC0415 - only who has configured a zone needs the table
    from importlib import resources  # noqa: PLC0415 - as above

    text = resources.files("aipower.footprint").joinpath("data", TABLE).read_text(encoding="utf-8")
    return tuple(
        Zone(row["iso3"], row["name"], float(row["g_co2e_per_kwh"]), int(row["year"]))
        for row in csv.DictReader(text.splitlines())
    )


def find_zone(word: str) -> Zone:
    """The zone of a code or a name, capitals or not.

    Raises:
        UsageError: There is none; the message has the nearest ones.
    """
    table = zones()
    wanted = word.strip().casefold()
    for zone in table:
        if wanted in {zone.iso3.casefold(), zone.name.casefold()}:
            return zone
    raise UsageError(
        f"no zone {_told(word)}{_near(wanted, table)}; zones are codes of three letters or names, "
        "`aipower equiv --list-zones` lists all"
    )


def _near(wanted: str, table: tuple[Zone, ...]) -> str:
    import difflib  # noqa: PLC0415 - only a mistake needs it

    words = {word.casefold(): zone for zone in table for word in (zone.iso3, zone.name)}
    # Before all, what people abbreviate: UK and US are near to other codes than their own.
    found = [zone for zone in table if _initials(zone) == wanted]
    found += [words[word] for word in difflib.get_close_matches(wanted, words, n=NEAR)]
    names = list(dict.fromkeys(f"{zone.iso3} ({zone.name})" for zone in found))[:NEAR]
    return f"; did you mean {' or '.join(names)}?" if names else ""


def _initials(zone: Zone) -> str:
    return "".join(word[0] for word in zone.name.casefold().split())


def _told(word: str) -> str:
    return repr(word if len(word) <= LONGEST else f"{word[: LONGEST - 1]}…")
