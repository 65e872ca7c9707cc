"""Power over time, from counters at the times at which they were scraped."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from aipower.fleet.answers import Point, Series
from aipower.fleet.growth import EDGE_S, Reader, Window
from aipower.fleet.nodes import Node, own_of
from aipower.fleet.reached import Contact
from aipower.fleet.selectors import Selector

MOST_STEPS = 600
LEAST_STEPS = 60
MOST_POINTS = 150_000
"""In one answer."""

ACCOUNT = ("device", "system", "job", "step", "user")

Curve = list[float | None]


class Steps(Struct, frozen=True):
    """Equal steps of a window."""

    window: Window
    step_s: float

    @property
    def count(self) -> int:
        """How many there are; the last ends with the window or later."""
        return max(1, math.ceil(self.window.span_s / self.step_s - 1e-6))

    def edges_s(self) -> list[float]:
        """Where they begin and end, the last one no later than the window."""
        return [min(self.window.end_s, self.window.start_s + number * self.step_s) for number in range(self.count + 1)]


def steps_of(window: Window, interval_s: float, devices: int) -> Steps:
    """As fine as scrapes come, and no finer than an answer may be large."""
    most = max(LEAST_STEPS, min(MOST_STEPS, MOST_POINTS // max(1, devices)))
    return Steps(window, max(interval_s, window.span_s / most))


def curves_of(
    reader: Reader,
    selector: Selector,
    steps: Steps,
    contacts: Mapping[Node, Contact],
    downs: Mapping[tuple[Node, str], Sequence[Window]],
) -> dict[tuple[Node, str], Curve]:
    """Mean power in each step by node and device: all series of a device together."""
    # The last step ends with the window, which the grid need not meet.
    whole_s = steps.window.start_s + (steps.count - 1) * steps.step_s
    found = [
        *reader.client.grid(selector.now(), steps.window.start_s, whole_s, steps.step_s),
        *reader.client.instant(selector.now(), steps.window.end_s),
    ]
    sums: dict[tuple[Node, str], list[Curve]] = defaultdict(list)
    for rows in reader.keyed(found, ACCOUNT).values():
        node = reader.labelling.node_of(rows[0].labels)
        contact = contacts.get(node)
        if contact is not None:
            key = node, own_of(rows[0].labels).get("device", "")
            sums[key].append(power_of(_timed(rows, contact), steps, (*contact.holes, *downs.get(key, ()))))
    return {key: _sum(curves) for key, curves in sums.items()}


def _timed(rows: Sequence[Series], contact: Contact) -> list[Point]:
    """The counter at the scrapes that the grid saw: from 0 at the scrape before it was there."""
    points: dict[float, float] = {}
    for grid_s, value in (point for row in rows for point in row.points):
        at_s = contact.last_until(grid_s)
        if at_s is not None:
            points[at_s] = max(value, points.get(at_s, 0.0))
    first_s = min(points, default=None)
    before_s = None if first_s is None else contact.last_until(first_s - EDGE_S)
    if before_s is not None:
        points[before_s] = 0.0
    return sorted(points.items())


def power_of(points: Sequence[Point], steps: Steps, holes: Sequence[Window]) -> Curve:
    """Mean power in each step; None in holes, and where nothing is known.

    A counter that has left used nothing more, as long as its node is reached.
    """
    edges_s = steps.edges_s()
    marks = [(at_s, _at(points, at_s)) for at_s in edges_s]
    return [None if _dark(sooner[0], later[0], holes) else _mean_w(sooner, later) for sooner, later in pairwise(marks)]


def _dark(start_s: float, end_s: float, holes: Sequence[Window]) -> bool:
    return any(hole.start_s < end_s and start_s < hole.end_s for hole in holes)


def _mean_w(sooner: tuple[float, float | None], later: tuple[float, float | None]) -> float | None:
    if sooner[1] is None or later[1] is None or later[0] <= sooner[0]:
        return None
    return max(0.0, later[1] - sooner[1]) / (later[0] - sooner[0])


def _at(points: Sequence[Point], at_s: float) -> float | None:
    """The counter between two samples; None before the first."""
    place = bisect_right(points, (at_s, math.inf))
    if place == 0:
        return None
    (sooner_s, sooner_j) = points[place - 1]
    if place == len(points):
        return sooner_j
    later_s, later_j = points[place]
    return sooner_j + max(0.0, later_j - sooner_j) * (at_s - sooner_s) / (later_s - sooner_s)


def _sum(curves: Sequence[Curve]) -> Curve:
    """Series that are not there yet add nothing."""
    return [
        sum(value for value in values if value is not None) if any(value is not None for value in values) else None
        for values in zip(*curves, strict=True)
    ]
