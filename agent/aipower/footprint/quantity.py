"""An energy as people type it: `1287MWh`, `3.6 kJ`, `1,287 MWh`, `2e6 J`."""

from __future__ import annotations

import re

from aipower.errors import UsageError

PREFIXES = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
MORE_PREFIXES = {"P": 1e15, "E": 1e18}
BASES_J = {"J": 1.0, "Wh": 3600.0}
UNITS_J = {
    prefix + base: factor * joules
    for base, joules in BASES_J.items()
    for prefix, factor in (PREFIXES | MORE_PREFIXES).items()
}
"""What a unit is worth in joules; capitals count."""
GREEK_MU, MICRO = "\u03bc", "\u00b5"
"""Two characters that look the same; both are typed for a millionth."""
QUANTITY = re.compile(r"(?P<number>[+-]?(?=[.,]*[0-9])[0-9.,]+(?:[eE][+-]?[0-9]+)?)\s*(?P<unit>.*)", re.DOTALL)
NUMBER = re.compile(r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)?(?:(?<=[0-9])\.[0-9]*|\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
MOST_J = 1e24
"""More than mankind uses in a thousand years."""
LONGEST = 40
"""How much of what was typed an error repeats."""


def parse_energy(text: str) -> float:
    """Joules; a comma separates thousands, a point the decimals.

    Raises:
        UsageError: It is no energy, or its unit may mean two things.
    """
    quantity = QUANTITY.fullmatch(text.strip())
    if quantity is None:
        raise UsageError(f"{_told(text)} is no energy; write a number and a unit, as in 1287MWh or 3.6kJ")
    # The unit first: what is wrong with "5 Wh h" is not the number.
    unit_j = _unit_j(quantity["unit"].strip(), quantity["number"])
    energy_j = _number(quantity["number"]) * unit_j
    if energy_j > MOST_J:
        raise UsageError(f"{_told(text)} is more energy than can be counted")
    return energy_j


def _number(text: str) -> float:
    if text.startswith("-"):
        raise UsageError(f"{_told(text)}: an energy is not negative")
    digits = text.removeprefix("+")
    if NUMBER.fullmatch(digits) is None:
        raise UsageError(f"{_told(text)} is no number; a comma separates thousands, a point decimals: 1,287.5")
    return float(digits.replace(",", ""))


def _unit_j(unit: str, number: str) -> float:
    known = UNITS_J.get(unit.replace(GREEK_MU, MICRO))
    if known is not None:
        return known
    if not unit:
        raise UsageError(f"{_told(number)} of what? Write the unit, as in {_told(number)}J or {_told(number)}Wh")
    meant = [name for name in UNITS_J if name.lower() == unit.lower()]
    raise UsageError(f"{_told(unit)} is no unit of energy; {_remedy(meant)}")


def _remedy(meant: list[str]) -> str:
    if not meant:
        return "write J or Wh, with a prefix as in mWh, kJ, MWh, GWh"
    if len(meant) == 1:
        return f"did you mean {meant[0]}? Capitals count"
    worth = {"m": "a thousandth", "M": "a million", "P": "10^15"}
    told = [f"{name} ({worth[name[0]]})" if name[0] in worth else name for name in meant]
    return f"did you mean {' or '.join(told)}? Capitals count"


def _told(text: str) -> str:
    clean = "".join(char if char.isprintable() else "?" for char in text.strip())
    return clean if len(clean) <= LONGEST else f"{clean[: LONGEST - 1]}…"
