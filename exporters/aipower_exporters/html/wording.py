"""How quantities are written for a person; in the words of the report on the terminal."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from aipower.runrecord import Interval

SCALES = (
    (1e9, 1e9, "G"),
    (1e6, 1e6, "M"),
    (1e4, 1e3, "k"),
    (1.0, 1.0, ""),
    (1e-3, 1e-3, "m"),
    (1e-6, 1e-6, "µ"),
    (0.0, 1e-9, "n"),
)
"""From how many units on a prefix is used, what it is worth, and the prefix."""
DIGITS = 4
MINUTE_S, LEAST_S = 60, 0.1
KIB = 1024.0
MOST_FINE_PERCENT = 10
WH_J = 3600.0
FULL, EXACT = 1e5, 1e15
"""From here on numbers are written without decimals; up to here a float holds every whole number."""
SHORT = 3
METHODS = {"counter": "energy counter", "integrated": "integrated power", "estimated": "model"}
KINDS = {"gpu": "GPU", "cpu": "CPU", "dram": "DRAM"}
UNKNOWN = "not known"
LAST_YEAR_S = 253_402_300_799
"""The end of the year 9999: no calendar goes further."""


def joules(energy_j: float | None) -> str:
    """Three to four significant digits with an SI prefix."""
    return quantity(energy_j, "J")


def quantity(value: float | None, unit: str) -> str:
    """Three to four significant digits with an SI prefix; `not known` for None and for what is no number."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value <= 0:
        return f"0 {unit}"
    scale, prefix = _scale(value)
    return f"{value / scale:.{_decimals(value / scale)}f} {prefix}{unit}"


def bracket(interval: Interval | None, unit: str = "J") -> str:
    """`[0.53 .. 2.09 J]`: both ends in the unit, and with the decimals, of the upper one; empty for None."""
    if interval is None or not all(math.isfinite(end) for end in interval):
        return ""
    low, high = interval
    if high <= 0:
        return f"[0 .. 0 {unit}]"
    scale, prefix = _scale(high)
    decimals = _decimals(high / scale)
    shown = f"{low / scale:.{decimals}f}" if low > 0 else "0"
    return f"[{shown} .. {high / scale:.{decimals}f} {prefix}{unit}]"


def plus_minus(energy_j: float | None, interval_j: Interval | None) -> str:
    """`±0.15 %`: how far the farther end is from the energy; empty where there is none."""
    if not energy_j or interval_j is None:
        return ""
    low_j, high_j = interval_j
    percent = 100 * max(energy_j - low_j, high_j - energy_j) / energy_j
    if not math.isfinite(percent):
        return ""
    return f"±{percent:.2g} %" if percent < MOST_FINE_PERCENT else f"±{percent:.0f} %"


def watts(power_w: float | None) -> str:
    """With one decimal; `not known` for None."""
    return UNKNOWN if power_w is None or not math.isfinite(power_w) else f"{power_w:.1f} W"


def percent_of(part: float | None, whole: float | None) -> str:
    """`12 %`; empty where there is no whole."""
    if part is None or not whole or not math.isfinite(part / whole):
        return ""
    return f"{100 * part / whole:.1f} %"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, the finer the shorter."""
    if not math.isfinite(seconds):
        return UNKNOWN
    if seconds < LEAST_S:
        return f"{max(0.0, seconds) * 1000:.1f} ms"
    if round(seconds, 2) < MINUTE_S:
        return f"{seconds:.2f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min {rest_s:02d} s" if hours else f"{minutes} min {rest_s:02d} s"


def number(value: float) -> str:
    """As it is, with at most six significant digits; whole and large numbers in full."""
    if math.isfinite(value) and FULL <= abs(value) < EXACT:
        return f"{value:,.0f}"
    whole = math.isfinite(value) and float(value).is_integer() and abs(value) < EXACT
    return f"{value:,.0f}" if whole else f"{value:.6g}"


def size(count: int) -> str:
    """Bytes with a binary prefix."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < KIB:
            return f"{value:.{_decimals(value) if unit != 'B' else 0}f} {unit}"
        value /= KIB
    return f"{value:.1f} TiB"


def moment(unix_s: float) -> datetime | None:
    """In UTC; None for what no calendar has."""
    return datetime.fromtimestamp(unix_s, UTC) if 0 <= unix_s <= LAST_YEAR_S else None


def plural(count: int, word: str) -> str:
    """`1 GPU`, `2 GPUs`."""
    if count == 1:
        return f"1 {word}"
    return f"{count} {word}es" if word.endswith("s") else f"{count} {word}s"


def singular(unit: str) -> str:
    """`token` from `tokens`, as in J/token; what does not look like a plural stays as it is."""
    if unit.endswith(("ches", "shes", "sses", "xes")):
        return unit[:-2]
    return unit[:-1] if len(unit) > SHORT and unit.endswith("s") and not unit.endswith("ss") else unit


def _scale(value: float) -> tuple[float, str]:
    return next((scale, prefix) for limit, scale, prefix in SCALES if value >= limit)


def _decimals(value: float) -> int:
    """Two at most, and fewer where more than four digits would be shown once it is rounded."""
    return next((places for places in (2, 1) if len(f"{value:.{places}f}") <= DIGITS + 1), 0)
