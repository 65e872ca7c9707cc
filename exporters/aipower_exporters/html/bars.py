"""Bars with error bars, drawn as SVG that fits any width without a script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from aipower.runrecord import Interval
from aipower_exporters.html.markup import Html, tag
from aipower_exporters.html.wording import joules

FULL, HEIGHT = 1000, 22
"""The drawing's own units: its width is stretched to what room there is, its height is in pixels."""
BAR_Y, BAR_HEIGHT = 4, 14
CAP = 4
"""Half the height of an error bar's caps."""
STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


class Part(Struct, frozen=True):
    """A piece of a bar."""

    energy_j: float
    style: str
    """Class of the style sheet: run, idle, other, unattributed, undivided."""


class Whisker(Struct, frozen=True):
    """An error bar."""

    interval_j: Interval
    y: float = HEIGHT / 2


class Scale(Struct, frozen=True):
    """What the full width stands for."""

    full_j: float

    def x(self, energy_j: float) -> float:
        """Where it stands, from 0 to `FULL`."""
        return min(FULL, max(0.0, FULL * energy_j / self.full_j)) if math.isfinite(energy_j) else 0.0

    def axis(self) -> Html:
        """The ends of the scale, for the head of a column."""
        return tag("span", tag("span", "0"), tag("span", joules(self.full_j)), class_="axis", aria_hidden="true")


def scale_for(energies_j: Iterable[float]) -> Scale:
    """The next round number above the largest."""
    largest_j = max((energy_j for energy_j in energies_j if math.isfinite(energy_j)), default=0.0)
    if largest_j <= 0:
        return Scale(1.0)
    decade = 10.0 ** math.floor(math.log10(largest_j))
    return Scale(decade * next((step for step in STEPS if step * decade >= largest_j), 10.0))


def bar(scale: Scale, parts: Sequence[Part], whiskers: Sequence[Whisker] = ()) -> Html:
    """Parts side by side and error bars over them; hidden from screen readers: the figures stand beside it."""
    shapes = (*_parts(scale, parts), *_whiskers(scale, whiskers))
    drawing = tag("svg", *shapes, viewBox=f"0 0 {FULL} {HEIGHT}", preserveAspectRatio="none")
    return tag("span", drawing, class_="bar", aria_hidden="true")


def _parts(scale: Scale, parts: Sequence[Part]) -> Iterable[Html]:
    start_j = 0.0
    for part in parts:
        left, right = scale.x(start_j), scale.x(start_j + part.energy_j)
        start_j += part.energy_j
        if right > left:
            yield tag("rect", class_=f"part {part.style}", x=left, width=right - left, y=BAR_Y, height=BAR_HEIGHT)


def _whiskers(scale: Scale, whiskers: Sequence[Whisker]) -> Iterable[Html]:
    """Each is drawn twice: a halo in the colour of the page keeps it visible on any bar."""
    for whisker in whiskers:
        if all(math.isfinite(end_j) for end_j in whisker.interval_j):
            path = _path(scale, whisker)
            yield tag("path", class_="halo", d=path)
            yield tag("path", class_="whisker", d=path)


def _path(scale: Scale, whisker: Whisker) -> str:
    low, high = (f"{scale.x(end_j):.1f}" for end_j in whisker.interval_j)
    y, top, bottom = (f"{y:g}" for y in (whisker.y, whisker.y - CAP, whisker.y + CAP))
    return f"M{low} {top}V{bottom}M{low} {y}H{high}M{high} {top}V{bottom}"
