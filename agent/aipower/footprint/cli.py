"""The command `aipower equiv`: what else takes as much energy."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from msgspec import to_builtins
from msgspec.structs import replace

from aipower.errors import AipowerError, UsageError
from aipower.streams import discard

if TYPE_CHECKING:
    from aipower.footprint.settings import Footprint
    from aipower.runrecord import CarbonRecord, CostRecord

SCHEMA, ZONES_SCHEMA = "aipower.equiv/1", "aipower.zones/1"
DESCRIPTION = """\
What else takes as much energy as QUANTITY: months of a household, kilometres of a car. With a zone, also its
greenhouse gas; with a price in the configuration, its cost. SI prefixes count: mWh is no MWh."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of the command."""
    parser.description = DESCRIPTION
    parser.add_argument("quantity", nargs="*", metavar="QUANTITY", help="an energy: 1287MWh, 1.28 GWh, 3.6kJ, 2e6 J")
    parser.add_argument("--zone", metavar="ZONE,ZONE", help="countries whose electricity it is, as in DEU,CHN")
    parser.add_argument("--list-zones", action="store_true", help="list the zones, their g/kWh and year")
    parser.add_argument("--json", action="store_true", help=f"print one JSON object (schema {SCHEMA})")
    parser.set_defaults(main=main)


def main(
    arguments: argparse.Namespace,
    *,
    stdout: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    home: str | None = None,
) -> int:
    """Print the answer; the exit code.

    Raises:
        UsageError: The quantity, a zone or the configuration is wrong.
        AipowerError: The answer cannot be written.
    """
    text = _zones_text(arguments) if arguments.list_zones else _answer_text(arguments, environ, home)
    _write(stdout or sys.stdout, text)
    return 0


def _zones_text(arguments: argparse.Namespace) -> str:
    from aipower.footprint.grid import ATTRIBUTION, zones  # noqa: PLC0415 - needed where the command runs only

    if arguments.quantity:
        raise UsageError("--list-zones takes no QUANTITY")
    if arguments.json:
        return _json({"schema": ZONES_SCHEMA, "source": ATTRIBUTION, "zones": [to_builtins(zone) for zone in zones()]})
    rows = [f"{zone.iso3}  {zone.g_per_kwh:6.1f} g/kWh  {zone.year}  {zone.name}" for zone in zones()]
    return "\n".join([*rows, f"g CO2e per kWh, annual average: {ATTRIBUTION}", ""])


def _answer_text(arguments: argparse.Namespace, environ: Mapping[str, str] | None, home: str | None) -> str:
    from aipower.footprint.apply import carbon_of, cost_of  # noqa: PLC0415 - needed where the command runs only
    from aipower.footprint.quantity import parse_energy  # noqa: PLC0415 - as above

    if not arguments.quantity:
        raise UsageError("no energy given; write one, as in `aipower equiv 1287MWh`")
    energy_j = parse_energy(" ".join(arguments.quantity))
    footprints = _footprints(arguments.zone, environ, home)
    exact = (energy_j, energy_j)
    carbons = [carbon for each in footprints if (carbon := carbon_of(energy_j, exact, each)) is not None]
    cost = cost_of(energy_j, exact, footprints[0])
    return (_as_json if arguments.json else _as_text)(energy_j, carbons, cost)


def _footprints(zones: str | None, environ: Mapping[str, str] | None, home: str | None) -> list[Footprint]:
    """As configured, once for each of `zones` where some are named."""
    from aipower.footprint.grid import find_zone  # noqa: PLC0415 - needed where the command runs only
    from aipower.footprint.settings import load_footprint  # noqa: PLC0415 - as above

    configured = load_footprint(
        os.environ if environ is None else environ,
        os.path.expanduser("~") if home is None else home,  # noqa: PTH111 - Path raises where there is no home
    )
    if zones is None:
        return [configured]
    found = dict.fromkeys(find_zone(word).iso3 for word in zones.split(","))
    return [replace(configured, zone=zone, intensity_g_per_kwh=None) for zone in found]


def _as_text(energy_j: float, carbons: list[CarbonRecord], cost: CostRecord | None) -> str:
    from aipower.footprint import units, words  # noqa: PLC0415 - needed where the command runs only
    from aipower.footprint.equivalents import equivalents  # noqa: PLC0415 - as above

    found = equivalents(energy_j, _only(carbons))
    width = max((len(units.count(each.amount)) for each in found), default=0)
    lines = [f"  {units.count(each.amount):>{width}} {words.thing_words(each)}" for each in found]
    if not found:
        lines = ["  too little to compare with anything"]
    lines += [f"  carbon  {words.carbon_words(carbon)}" for carbon in carbons]
    lines += [f"  cost    {words.cost_words(cost)}"] if cost is not None else []
    if not carbons:
        lines.append("  carbon  not known without a place: --zone DEU, or zone in the configuration")
    return "\n".join([units.energy(energy_j), *lines, ""])


def _as_json(energy_j: float, carbons: list[CarbonRecord], cost: CostRecord | None) -> str:
    from aipower.footprint import units  # noqa: PLC0415 - needed where the command runs only
    from aipower.footprint.equivalents import WH_J, equivalents  # noqa: PLC0415 - as above

    return _json(
        {
            "schema": SCHEMA,
            "energy_j": energy_j,
            "energy_wh": energy_j / WH_J,
            "text": units.energy(energy_j),
            "equivalents": [to_builtins(each) for each in equivalents(energy_j, _only(carbons))],
            "carbon": [to_builtins(carbon) for carbon in carbons],
            "cost": None if cost is None else to_builtins(cost),
        }
    )


def _only(carbons: list[CarbonRecord]) -> float | None:
    """The grams where there is one place; with several, a thing that is counted by grams would be ambiguous."""
    return carbons[0].co2e_g if len(carbons) == 1 else None


def _json(content: object) -> str:
    import json  # noqa: PLC0415 - needed where the command runs only

    return json.dumps(content, indent=2, ensure_ascii=True) + "\n"


def _write(stream: TextIO, text: str) -> None:
    """Write and flush. A reader that has left (`| head`) is no error.

    Raises:
        AipowerError: The disk is full, for example.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(_encodable(text, encoding))
        stream.flush()
    except BrokenPipeError:
        discard(stream)
    except OSError as error:
        discard(stream)
        raise AipowerError(f"the answer cannot be written: {error.strerror or error}") from error


def _encodable(text: str, encoding: str) -> str:
    """Without the signs that a terminal of plain ASCII lacks."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("µ", "u").replace("°", "").encode(encoding, errors="replace").decode(encoding)
    return text
