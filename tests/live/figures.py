"""Reading what the page writes for people back into numbers."""

from __future__ import annotations

import re

PREFIX = {"n": 1e-9, "µ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
UNKNOWN = "\u2013"
NO_TOTAL = f"total {UNKNOWN}"
TINY = "<0.1 %"
WRITTEN = re.compile(r"(?P<digits>-?[\d ]+(\.(?P<decimals>\d+))?) (?P<prefix>[nµmkMG]?)(?P<unit>[WJ]|%)")


def tells(written: str, value: float | None) -> bool:
    """True where `written` is `value`, rounded to the digits that are shown."""
    if value is None:
        return written == UNKNOWN
    if written == TINY:
        return 0 < value < number(TINY[1:])
    found = WRITTEN.fullmatch(written)
    if found is None:
        return False
    scale = 0.01 if found["unit"] == "%" else PREFIX[found["prefix"]]
    step = scale * 10.0 ** -len(found["decimals"] or "")
    return abs(number(written) - value) <= 0.51 * step


def number(written: str) -> float:
    """`12.34 kW` in watts; `4.5 %` as a part of 1."""
    found = WRITTEN.fullmatch(written)
    assert found is not None, written
    scale = 0.01 if found["unit"] == "%" else PREFIX[found["prefix"]]
    return float(found["digits"].replace(" ", "")) * scale
