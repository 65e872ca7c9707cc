"""How energies, masses, sums of money and counts are written: right from milli to tera."""

from __future__ import annotations

import math

PREFIXES = ("n", "µ", "m", "", "k", "M", "G", "T", "P", "E")
"""Of the SI, each a thousand times the one before it."""
FIRST_POWER = -9
"""The power of ten of the first prefix."""
TONNE_G = 1e6
WHOLE_FROM = 100
"""From how many on a count has no decimals."""
FINE_MONEY = 1e-6
"""A smaller sum is written as a power of ten."""
ENERGY_DIGITS, DIGITS = 4, 3


def si(value: float, unit: str, digits: int = ENERGY_DIGITS) -> str:
    """`1.287 GWh`: `digits` significant digits with the prefix that leaves one to three before the point."""
    power = _power(value, digits)
    return f"{_rounded(value, digits) / 10.0**power:.{digits}g} {_prefix(power)}{unit}"


def energy(energy_j: float) -> str:
    """`1.287 GWh = 1287 MWh = 4.633 TJ`: watt-hours, in the prefix below too where that is easier read, and joules."""
    watt_hours = energy_j / 3600
    power = _power(watt_hours, ENERGY_DIGITS)
    shown = _rounded(watt_hours, ENERGY_DIGITS) / 10.0**power
    words = [si(watt_hours, "Wh")]
    if 0 < shown < 10 and power > FIRST_POWER:  # noqa: PLR2004 - one digit before the point, so four in the prefix below
        words.append(f"{shown * 1000:.4g} {_prefix(power - 3)}Wh")
    return " = ".join([*words, si(energy_j, "J")])


def mass(mass_g: float) -> str:
    """`12.3 g`, `1.29 kg`, `552 t`, from ng to Mt."""
    factor_g, unit = _mass_unit(mass_g)
    value = mass_g / factor_g
    return f"{value:.{_decimals(value)}f} {unit}"


def mass_range(low_g: float, high_g: float) -> str:
    """`[11.7 .. 12.9 g]`: both ends in the unit, and with the decimals, of the upper one."""
    factor_g, unit = _mass_unit(high_g)
    decimals = _decimals(high_g / factor_g)
    return f"[{low_g / factor_g:.{decimals}f} .. {high_g / factor_g:.{decimals}f} {unit}]"


def money(amount: float, currency: str) -> str:
    """`0.0123 EUR`: two decimals, or three digits where it is less than one."""
    return f"{_sum(amount, _money_decimals(amount))} {currency}"


def money_range(low: float, high: float, currency: str) -> str:
    """`[0.0117 .. 0.0129 EUR]`: both ends with the decimals of the upper one."""
    decimals = _money_decimals(high)
    return f"[{_sum(low, decimals)} .. {_sum(high, decimals)} {currency}]"


def count(amount: float) -> str:
    """`6,435`, `4.29`, `0.0187`: four digits of what is large, three of what is small."""
    rounded = _rounded(amount, ENERGY_DIGITS)
    return f"{rounded:,.0f}" if rounded >= WHOLE_FROM else f"{rounded:.3g}"


def pue(value: float) -> str:
    """`PUE 1.0`, `PUE 1.58`."""
    return f"PUE {value:.1f}" if round(value, 1) == value else f"PUE {value:g}"


def _mass_unit(mass_g: float) -> tuple[float, str]:
    if _rounded(mass_g, DIGITS) >= TONNE_G:
        power = _power(mass_g / TONNE_G, DIGITS)
        return TONNE_G * 10.0**power, f"{_prefix(power)}t"
    power = _power(mass_g, DIGITS)
    return 10.0**power, f"{_prefix(power)}g"


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _power(value: float, digits: int) -> int:
    """The power of ten of the prefix; that of none for 0, the last one for what is beyond it."""
    if value == 0 or not math.isfinite(value):
        return 0
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return min(max(3 * (exponent // 3), FIRST_POWER), FIRST_POWER + 3 * (len(PREFIXES) - 1))


def _prefix(power: int) -> str:
    return PREFIXES[(power - FIRST_POWER) // 3]


def _decimals(value: float) -> int:
    """That show three significant digits of what has one to three before the point; a prefix sees to that."""
    rounded = _rounded(value, DIGITS)
    return max(0, DIGITS - 1 - math.floor(math.log10(rounded))) if 1 <= rounded < math.inf else DIGITS - 1


def _money_decimals(amount: float) -> int | None:
    """None where it takes a power of ten."""
    if amount >= 1 or amount == 0:
        return 2
    if not amount >= FINE_MONEY:
        return None
    return DIGITS - 1 - math.floor(math.log10(_rounded(amount, DIGITS)))


def _sum(amount: float, decimals: int | None) -> str:
    return f"{amount:.2e}" if decimals is None else f"{amount:,.{decimals}f}"
