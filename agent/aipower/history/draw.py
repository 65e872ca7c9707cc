"""A chart, from copies of what is stored."""

from __future__ import annotations

from collections.abc import Sequence

from aipower.history.extremes import extremes
from aipower.history.layers import Grid, Name, layers, whole_doubt
from aipower.history.strip import Strip, summed
from aipower.history.tickbook import TickColumns
from aipower.site.history import By, Chart


def draw(
    by: By,
    strips: Sequence[Strip],
    ticks: TickColumns,
    bounds_s: Sequence[float],
    step_s: float,
    ticks_from_s: float,
    name: Name,
) -> Chart:
    """The chart without its times. Ticks are complete from `ticks_from_s` on."""
    steps = len(bounds_s) - 1
    known = [covered_s > 0 for covered_s in summed((strip.covered_s for strip in strips), steps)]
    grid = Grid(step_s, known)
    found = extremes(strips, ticks, bounds_s, ticks_from_s)
    ranges = [extreme if is_known else None for extreme, is_known in zip(found, known, strict=True)]
    return Chart(
        step_s,
        mean_w=grid.watts(summed((strip.energy_j for strip in strips), steps)),
        min_w=tuple(extreme and extreme[0] for extreme in ranges),
        max_w=tuple(extreme and extreme[1] for extreme in ranges),
        half_w=grid.halves(whole_doubt(strips, steps)),
        layers=layers(by, strips, grid, name),
    )
