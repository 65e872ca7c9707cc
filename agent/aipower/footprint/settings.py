"""What a user has said about the electricity: its price, where it comes from, what the building adds.

Nothing is looked up on a network and nothing is guessed: what is not configured is not shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from aipower.errors import UsageError
from aipower.footprint.places import config_file

TABLE = "footprint"
RANGES = {"price_per_kwh": (0.0, 1e9), "pue": (1.0, 10.0), "intensity_g_per_kwh": (0.0, 5000.0)}
"""Of the numbers, both ends included."""
LONGEST_CURRENCY, LONGEST_TOLD = 8, 40

Value: TypeAlias = str | float


class Footprint(Struct, frozen=True):
    """What turns an energy into money and greenhouse gas; one without zone and intensity knows no gas."""

    price_per_kwh: float | None = None
    """In `currency` per kilowatt-hour."""
    currency: str = ""
    """As in EUR."""
    pue: float = 1.0
    """Power usage effectiveness: energy of the whole building over that of its computers (ISO/IEC 30134-2)."""
    zone: str = ""
    """ISO 3166-1 alpha-3 of a country in the table; empty where the place is not known."""
    intensity_g_per_kwh: float | None = None
    """Grams of CO2 equivalent per kilowatt-hour, instead of a zone."""


def load_footprint(environ: Mapping[str, str], home: str | os.PathLike[str]) -> Footprint:
    """What the user's configuration file says; an empty one where there is no file. Then it costs a few `os.stat`.

    Raises:
        UsageError: The file cannot be read, or something in it is wrong; with the file and the key.
    """
    path = config_file(environ, home)
    return Footprint() if path is None else _read(path)


def to_fields(footprint: Footprint) -> dict[str, Value]:
    """What differs from an empty one, as flat JSON can carry it."""
    empty = Footprint()
    values = {name: getattr(footprint, name) for name in Footprint.__struct_fields__}
    return {name: value for name, value in values.items() if value != getattr(empty, name)}


def from_fields(values: Mapping[str, object], source: str = "") -> Footprint:
    """What `to_fields` gave, or a table of a file, once all of it is found right.

    Raises:
        UsageError: It is not; the message begins with `source` and the key.
    """
    place = f"{source}: {TABLE}" if source else TABLE
    checked = {key: _checked(key, value, f"{place}.{key}") for key, value in _known(values, place).items()}
    footprint = Footprint(**checked)  # type: ignore[arg-type]  # _checked gave each the type of its field
    if footprint.zone and footprint.intensity_g_per_kwh is not None:
        raise UsageError(f"{place}.intensity_g_per_kwh: zone is given too; take one of them away")
    if footprint.price_per_kwh is not None and not footprint.currency:
        raise UsageError(f'{place}.price_per_kwh: of what currency? Add currency = "EUR" or another')
    return footprint


def _read(path: str) -> Footprint:
    import tomllib  # noqa: PLC0415 - only who has such a file needs it

    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs every run 4 ms
            content = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"{_told(path)}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{_told(path)}: no TOML: {_told(str(error), 200)}") from error
    for key in content:
        if key != TABLE:
            raise UsageError(f"{_told(path)}: unknown key {key!r}; the file has one table, [{TABLE}]")
    table = content.get(TABLE, {})
    if not isinstance(table, dict):
        raise UsageError(f"{_told(path)}: {TABLE}: expected a table, [{TABLE}], not {_told(repr(table))}")
    return from_fields(table, _told(path))


def from_words(words: Iterable[str]) -> Footprint:
    """What `NAME=VALUE` words say; an empty one where they make no sense: who sent them has checked them."""
    pairs = (word.partition("=")[::2] for word in words)
    try:
        return from_fields({name: float(value) if name in RANGES else value for name, value in pairs})
    except (UsageError, ValueError):
        return Footprint()


def _known(values: Mapping[str, object], place: str) -> Mapping[str, object]:
    names = Footprint.__struct_fields__
    for key in values:
        if key not in names:
            import difflib  # noqa: PLC0415 - only a mistake needs it

            near = difflib.get_close_matches(key, names, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise UsageError(f"{place}: unknown key {_told(repr(key))}; {remedy}")
    return values


def _checked(key: str, value: object, place: str) -> Value:
    if key in RANGES:
        return _number(value, RANGES[key], place)
    if not isinstance(value, str):
        raise UsageError(f"{place}: expected a text in quotes, not {_told(repr(value))}")
    return _currency(value, place) if key == "currency" else _zone(value, place)


def _number(value: object, limits: tuple[float, float], place: str) -> float:
    low, high = limits
    # True is an int for Python; NaN is in no range.
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"{place}: expected a number from {low:g} to {high:g}, not {_told(repr(value))}")
    return float(value)


def _currency(value: str, place: str) -> str:
    if len(value) > LONGEST_CURRENCY or not value.isprintable() or " " in value:
        raise UsageError(
            f"{place}: expected up to {LONGEST_CURRENCY} characters without spaces, not {_told(repr(value))}"
        )
    return value


def _zone(value: str, place: str) -> str:
    """The code of the zone."""
    if not value:
        return ""
    from aipower.footprint.grid import find_zone  # noqa: PLC0415 - reads the table

    try:
        return find_zone(value).iso3
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None


def _told(text: str, longest: int = 4 * LONGEST_TOLD) -> str:
    clean = "".join(char if char.isprintable() else "?" for char in text)
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"
