"""The lines above the tables: who measures, what there is in all, and what is not measured."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import Struct

from aipower.model import Kind
from aipower.top.cells import cut, harmless
from aipower.top.layout import Line, Span, first_fit
from aipower.top.look import Origin
from aipower.top.rows import DeviceRow, Picture
from aipower.top.words import clock_time, energy, watts

KINDS: tuple[Kind, ...] = ("gpu", "cpu", "dram")
J_PER_WH = 3600
DAY_S = 86_400


class Surroundings(Struct, frozen=True):
    """What is known beside the counters."""

    host: str
    origin: Origin
    trouble: str = ""
    """What is wrong with the source now."""
    running_s: float = 0.0
    """For how long this program has been watching."""


def first_line(around: Surroundings, width: int, *, simulated: bool) -> Line:
    """Program, source, host and for how long."""
    name, running = Span("aipower top", "bold"), Span(clock_time(around.running_s))
    title, short = Span(harmless(around.origin.title)), Span(harmless(around.origin.short))
    host = Span(f"on {harmless(around.host)}")
    warning = [Span("SIMULATED SENSORS: no measurement", "bad")] if simulated else []
    brief = [Span("SIMULATED", "bad")] if simulated else []
    note = [Span(harmless(around.origin.note), "dim")] if around.origin.note else []
    return first_fit(
        (
            (name, running, title, host, *warning, *note),
            (name, running, title, host, *warning),
            (name, running, short, host, *warning),
            (name, running, short, *brief),
            (name, short, *brief),
            (short, *brief),
        ),
        width,
    )


def second_line(picture: Picture, width: int) -> Line:
    """Power of all that is measured, by kind, and energy since when."""
    kinds: list[Kind] = [kind for kind in KINDS if kind in picture.measured_w]
    total_w = watts(sum(picture.measured_w[kind] for kind in kinds) if kinds else None)
    by_kind = [f"{kind.upper()} {watts(picture.measured_w[kind])}" for kind in kinds]
    long = [Span(f"{total_w} W measured", "bold"), Span(" + ".join(by_kind))]
    brief = [Span(f"{total_w} W", "bold"), *map(Span, by_kind)]
    if not any(row.summed for row in picture.devices):
        return first_fit(((Span("nothing measured", "bold"),),), width)
    energy_uj = sum(row.energy_uj for row in picture.devices if row.summed)
    since = Span(f"{energy(energy_uj)} since {_moment(picture.since_unix_s, picture.at_unix_s)}")
    hours = Span(f"= {energy_uj / 1e6 / J_PER_WH:.4g} Wh")
    return first_fit(((*long, since, hours), (*long, since), (*brief, since), brief), width)


def notes(picture: Picture | None, around: Surroundings) -> Sequence[Span]:
    """All that people should know, the most urgent first; harmless, not yet cut."""
    found = [Span(f"{around.origin.title}: {around.trouble}", "bad")] if around.trouble else []
    if picture is not None:
        if picture.note:
            found.append(Span(picture.note, "warn"))
        found.extend(Span(_faults(row), "bad" if not row.up else "warn") for row in picture.devices if _faulty(row))
        if picture.without_watts:
            names = ", ".join(f"{device.kind.upper()} {device.index}" for device in picture.without_watts)
            found.append(Span(f"watts of processes are not known yet of {names}: two windows must have ended", "dim"))
        found.extend(
            Span(f"{missing.source} not measured: {missing.reason}; {missing.remedy}", "warn")
            for missing in picture.unavailable
        )
    return [Span(harmless(" ".join(span.text.split())), span.style) for span in found]


def shown_notes(found: Sequence[Span], width: int, most: int) -> list[Line]:
    """At most `most` lines of `found`, with a hint where there are more."""
    lines: list[Line] = []
    for number, span in enumerate(found[:most]):
        more = len(found) - most if number == most - 1 else 0
        hint = f" (+{more}: h)" if more > 0 else ""
        lines.append((Span(cut(span.text, max(0, width - len(hint))) + hint, span.style),))
    return lines


def label(row: DeviceRow) -> str:
    """`GPU 0`."""
    return harmless(f"{row.device.kind.upper()} {row.device.index}")


def _faulty(row: DeviceRow) -> bool:
    return not row.up or bool(row.faults)


def _faults(row: DeviceRow) -> str:
    counts = ", ".join(f"{reason} {count} time{'s' if count > 1 else ''}" for reason, count in row.faults)
    if row.up:
        return f"{label(row)}: {counts}"
    return f"{label(row)} cannot be read{f': {counts}' if counts else ''}"


def _moment(at_unix_s: float, now_unix_s: float) -> str:
    """The time of the day, with the date where it was another day."""
    far = abs(now_unix_s - at_unix_s) > DAY_S / 2
    return time.strftime("%Y-%m-%d %H:%M" if far else "%H:%M:%S", time.localtime(at_unix_s))
