"""How quantities and foreign text are written for a person."""

from __future__ import annotations

from aipower.runrecord import Interval

SCALES_J = ((1e6, 1e6, "MJ"), (1e4, 1e3, "kJ"), (1.0, 1.0, "J"), (0.0, 1e-3, "mJ"))
"""From how many joules on a unit is used, and what it is worth."""
DIGITS = 4
MINUTE_S, LEAST_S = 60, 0.1
MOST_FINE_PERCENT = 10


def joules(energy_j: float) -> str:
    """Three to four significant digits with an SI prefix."""
    if energy_j <= 0:
        return "0 J"
    scale_j, unit = _scale(energy_j)
    value = energy_j / scale_j
    return f"{value:.{_decimals(value)}f} {unit}"


def bracket(interval_j: Interval | None) -> str:
    """`[0.53 .. 2.09 J]`: both ends in the unit, and with the decimals, of the upper one; empty for None."""
    if interval_j is None:
        return ""
    low_j, high_j = interval_j
    if high_j <= 0:
        return "[0 .. 0 J]"
    scale_j, unit = _scale(high_j)
    decimals = _decimals(high_j / scale_j)
    low = f"{low_j / scale_j:.{decimals}f}" if low_j > 0 else "0"
    return f"[{low} .. {high_j / scale_j:.{decimals}f} {unit}]"


def plus_minus(energy_j: float | None, interval_j: Interval | None) -> str:
    """`±0.15 %`: how far the farther end is from the energy; empty where there is none."""
    if not energy_j or interval_j is None:
        return ""
    low_j, high_j = interval_j
    percent = 100 * max(energy_j - low_j, high_j - energy_j) / energy_j
    return f"±{percent:.2g} %" if percent < MOST_FINE_PERCENT else f"±{percent:.0f} %"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, the finer the shorter."""
    if seconds < LEAST_S:
        return f"{max(0.0, seconds) * 1000:.1f} ms"
    if round(seconds, 2) < MINUTE_S:
        return f"{seconds:.2f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min {rest_s:02d} s" if hours else f"{minutes} min {rest_s:02d} s"


def clean(text: str) -> str:
    """One line, whatever is in it: names must not play with the terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def short(text: str, width: int) -> str:
    """`text` cleaned and cut to `width` characters."""
    shown = clean(text)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def _scale(energy_j: float) -> tuple[float, str]:
    return next((scale_j, unit) for limit_j, scale_j, unit in SCALES_J if energy_j >= limit_j)


def _decimals(value: float) -> int:
    """Two at most, and fewer where more than four digits would be shown once it is rounded."""
    return next((places for places in (2, 1) if len(f"{value:.{places}f}") <= DIGITS + 1), 0)
