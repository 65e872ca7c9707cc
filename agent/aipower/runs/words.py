"""How a table writes times, powers and sizes: short, for they stand in columns."""

from __future__ import annotations

import time
import unicodedata

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
RECENT_S = 180 * DAY_S
SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
MILLI_S, FINE_W, COARSE_W = 0.1, 10.0, 1000.0


def moment(unix_s: float) -> str:
    """`2026-11-28 13:32`, local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(unix_s))


def short_moment(unix_s: float, now_unix_s: float) -> str:
    """As `ls` has it: `Nov 28 13:32`, and the date alone half a year later."""
    recent = abs(now_unix_s - unix_s) < RECENT_S
    return time.strftime("%b %d %H:%M" if recent else "%Y-%m-%d", time.localtime(unix_s))


def span(seconds: float) -> str:
    """`42 ms`, `4.20 s`, `3m 05s`, `2h 07m`, `3d 04h`: eight characters at most."""
    if seconds < MILLI_S:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if round(seconds, 2) < MINUTE_S:
        return f"{seconds:.2f} s"
    whole_s = round(seconds)
    if whole_s < HOUR_S:
        return f"{whole_s // MINUTE_S}m {whole_s % MINUTE_S:02d}s"
    if whole_s < DAY_S:
        return f"{whole_s // HOUR_S}h {whole_s % HOUR_S // MINUTE_S:02d}m"
    return f"{whole_s // DAY_S}d {whole_s % DAY_S // HOUR_S:02d}h"


def watts(power_w: float) -> str:
    """Two decimals below ten watts, none from a thousand on."""
    decimals = 2 if power_w < FINE_W else 1 if power_w < COARSE_W else 0
    return f"{power_w:.{decimals}f} W"


def size(count: int) -> str:
    """Bytes with a decimal prefix."""
    scale, unit = next(((scale, unit) for scale, unit in SIZES if count >= scale), (1.0, "bytes"))
    return f"{count / scale:.0f} {unit}" if scale == 1 else f"{count / scale:.1f} {unit}"


def plural(count: int, what: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def cells(text: str) -> int:
    """How many columns of a terminal printable text takes: a Chinese character takes two."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def cut(text: str, width: int) -> str:
    """`text` in `width` columns at most."""
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    kept = text[: width - 1]
    while cells(kept) > width - 1:
        kept = kept[:-1]
    return f"{kept}…"
