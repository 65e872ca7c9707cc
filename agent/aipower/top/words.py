"""Quantities as the cells of the tables show them."""

from __future__ import annotations

from aipower.record.wording import joules

UNKNOWN = "-"
"""What is not known is no 0."""
FINE_W, MANY_W, HUGE_W = 10.0, 10_000.0, 10_000_000.0
LEAST_W = 0.005
HOUR_S = 3600


def watts(power_w: float | None) -> str:
    """`0.25`, `288.1`, `12.3k`; `-` where it is not known."""
    if power_w is None:
        return UNKNOWN
    if power_w < LEAST_W:
        return "0.0"
    if power_w < FINE_W:
        return f"{power_w:.2f}"
    if power_w < MANY_W:
        return f"{power_w:.1f}"
    return f"{power_w / 1e3:.1f}k" if power_w < HUGE_W else f"{power_w / 1e6:.1f}M"


def energy(energy_uj: float | None) -> str:
    """`1082 J`, `12.34 kJ`; `-` for None."""
    return UNKNOWN if energy_uj is None else joules(energy_uj / 1e6)


def percent(part: float | None) -> str:
    """`12.3`, `100`, of a share from 0 to 1."""
    if part is None:
        return UNKNOWN
    shown = f"{100 * part:.1f}"
    return shown if len(shown) < len("100.0") else f"{100 * part:.0f}"


def part_of(part_uj: int, whole_uj: int) -> float | None:
    """The share of `part_uj` in `whole_uj`; None of nothing."""
    return part_uj / whole_uj if whole_uj > 0 else None


def clock_time(seconds: float) -> str:
    """`0:12:31`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
