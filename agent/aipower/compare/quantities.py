"""How a difference is written."""

from __future__ import annotations

import math

from aipower.compare.model import Difference
from aipower.record.wording import joules
from aipower.runrecord import Interval

LEAST_J = 1e-3
"""Below, joules are written with an exponent."""
LEAST_S = 0.1
MOST_PERCENT = 999.0
ONE_RUN = "one run each"


def amount(value: float, unit: str = "") -> str:
    """A value in its unit; of energy per work only the energy, for the title has the rest."""
    if unit == "s":
        return _seconds(value)
    if unit.startswith("J"):
        return joules(value) if value >= LEAST_J or value == 0 else f"{value * 1e6:.4g} µJ"
    return f"{value:.4g}"


def _seconds(value_s: float) -> str:
    """Seconds and nothing else, so that two are seen to differ at a glance."""
    if value_s < LEAST_S:
        return f"{value_s * 1000:.3g} ms"
    return f"{value_s:.{2 if value_s < 100 else 1 if value_s < 1000 else 0}f} s"  # noqa: PLR2004 - about four digits


def signed(value: float, unit: str = "") -> str:
    """A change with its sign."""
    return f"{'-' if value < 0 else '+'}{amount(abs(value), unit)}"


def percents(found: Difference) -> str:
    """The change with as many digits as its interval deserves: `-5.0 %`."""
    return f"{_number(found.percent, _decimals(found.interval_percent))} %"


def range_percent(found: Difference) -> str:
    """`[-6.2 .. -3.8 %]`."""
    if found.interval_percent is None:
        return ONE_RUN
    low, high = found.interval_percent
    places = _decimals(found.interval_percent)
    return f"[{_number(low, places)} .. {_number(high, places)} %]"


def range_unit(found: Difference) -> str:
    """The change's interval in its unit: `[-48.0 J .. -30.5 J]`."""
    if found.interval is None:
        return ONE_RUN
    low, high = found.interval
    return f"[{signed(low, found.unit)} .. {signed(high, found.unit)}]"


def _number(percent: float, places: int) -> str:
    return f"> +{MOST_PERCENT:.0f}" if percent > MOST_PERCENT else f"{percent:+.{places}f}"


def _decimals(interval: Interval | None) -> int:
    """Two digits of the half-width, two decimals at most."""
    if interval is None:
        return 1
    half = (interval[1] - interval[0]) / 2
    if half <= 0:
        return 2
    return min(2, max(0, 1 - math.floor(math.log10(half))))
