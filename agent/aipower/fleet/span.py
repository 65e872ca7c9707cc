"""When a job ran, from its own samples: the first, and the last at which its energy grew."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median

from msgspec import Struct

from aipower.fleet.answers import Series
from aipower.fleet.growth import EDGE_S, LOOK_BACK_S, Reader, Window
from aipower.fleet.names import BUILD_INFO
from aipower.fleet.nodes import Node
from aipower.fleet.selectors import Selector, by_target

BINS = 200
FINE_S = 15.0
"""Bins need not be finer: scrapes seldom are."""
WORTH = 0.5
"""A closer look that leaves more than this of the window is the last."""
KEPT_S = 300.0
"""For so long the agent shows a job after its end, unless told otherwise (`retention_s`)."""
USUAL_S = 60.0
"""Between scrapes, where no two are seen."""
PACE_S = 1200.0
"""Of scrapes before a moment, to tell how often they come."""
MISSED = 3.0
"""So many scrapes that did not come are a gap."""


class JobSpan(Struct, frozen=True):
    """When a job ran."""

    window: Window
    """From the scrape before its first sample to the sample that has all of its energy."""
    first_s: Mapping[Node, float]
    """Its first sample on each node."""
    last_s: Mapping[Node, float]
    """Its last."""
    grew_s: Mapping[Node, float]
    """The last that was larger than the one before; missing for nodes where none was in the last minutes."""
    interval_s: float
    """Between scrapes."""


def presence(reader: Reader, selector: Selector, window: Window) -> Window | None:
    """The part of `window` in which there are samples, a little more on both sides; None without any."""
    while True:
        step_s = max(FINE_S, math.ceil(window.span_s / BINS))
        query = by_target("sum", selector.over("count_over_time", step_s))
        ends_s = window.start_s + step_s, window.start_s + step_s * math.ceil(window.span_s / step_s)
        found = reader.client.grid(query, *ends_s, step_s)
        times_s = [at_s for series in found for at_s, count in series.points if count > 0]
        if not times_s:
            return None
        closer = Window(max(window.start_s, min(times_s) - step_s), min(window.end_s, max(times_s)))
        if step_s <= FINE_S or closer.span_s > WORTH * window.span_s:
            return closer
        window = closer


def span_of(reader: Reader, job: Selector, targets: Sequence[str], window: Window) -> JobSpan | None:
    """When `job` ran in `window`; None where it has no sample there."""
    near = presence(reader, job, window)
    if near is None:
        return None
    first_s, last_s = _edges(reader, job, near, window)
    start_s = min(first_s.values())
    looks = scrapes(reader, targets, Window(start_s - PACE_S, min(max(last_s.values()), start_s + PACE_S)))
    scrapes_s, interval_s = times_of(reader, looks), pace(looks)
    grew_s = _grown_s(reader, job, Window(near.start_s, max(last_s.values())), last_s, interval_s)
    start_s = min(_before(scrapes_s.get(node, ()), at_s) for node, at_s in first_s.items())
    end_s = max((*grew_s.values(), *first_s.values()))
    start_s = max(window.start_s, start_s)
    return JobSpan(Window(start_s, max(end_s, start_s + EDGE_S)), first_s, last_s, grew_s, interval_s)


def scrapes(reader: Reader, targets: Sequence[str], window: Window) -> list[Series]:
    """A series of each agent with a sample for each time that it was scraped."""
    return reader.samples(Selector(BUILD_INFO, tuple(targets)), window)


def times_of(reader: Reader, looks: Iterable[Series]) -> dict[Node, list[float]]:
    """When each node was reached, by whomever."""
    times_s: dict[Node, set[float]] = defaultdict(set)
    for series in looks:
        times_s[reader.labelling.node_of(series.labels)].update(at_s for at_s, _ in series.points)
    return {node: sorted(found) for node, found in times_s.items()}


def pace(looks: Iterable[Series]) -> float:
    """Seconds between scrapes of the agent that is scraped least often."""
    usual = [
        median(later[0] - sooner[0] for sooner, later in pairwise(series.points))
        for series in looks
        if len(series.points) > 1
    ]
    return max(usual, default=USUAL_S)


def _edges(reader: Reader, job: Selector, near: Window, window: Window) -> tuple[dict[Node, float], dict[Node, float]]:
    """The first and the last sample on each node, from all samples in the bins where these must be."""
    step_s = max(FINE_S, math.ceil(near.span_s / BINS))
    query = by_target("sum", job.over("count_over_time", step_s))
    last_bin_s = near.start_s + step_s * math.ceil(near.span_s / step_s)
    ends_s: set[float] = set()
    for series in reader.client.grid(query, near.start_s + step_s, last_bin_s, step_s):
        times_s = [at_s for at_s, samples in series.points if samples > 0]
        ends_s.update((min(times_s), max(times_s)) if times_s else ())
    first_s: dict[Node, float] = {}
    last_s: dict[Node, float] = {}
    for end_s in sorted(ends_s):
        piece = Window(max(window.start_s, end_s - step_s), min(window.end_s, end_s))
        for series in reader.samples(job, piece):
            node = reader.labelling.node_of(series.labels)
            first_s[node] = min(first_s.get(node, math.inf), series.points[0][0])
            last_s[node] = max(last_s.get(node, -math.inf), series.points[-1][0])
    return first_s, last_s


def _grown_s(
    reader: Reader, job: Selector, near: Window, last_s: Mapping[Node, float], interval_s: float
) -> dict[Node, float]:
    """The last sample on each node that grew, in the time for which accounts stay; if none did, the last before."""
    back_s = KEPT_S + 4 * max(interval_s, FINE_S)
    grew_s: dict[Node, float] = {}
    for window in _joined(sorted(last_s.values()), back_s):
        found = _growths_s(reader, job, Window(max(near.start_s, window.start_s), window.end_s))
        # An earlier window ends before the job did on nodes that went on.
        grew_s.update((node, at_s) for node, at_s in found.items() if last_s[node] <= window.end_s)
    while not grew_s and near.end_s - back_s > near.start_s:
        back_s *= 4
        grew_s = _growths_s(reader, job, Window(max(near.start_s, near.end_s - back_s), near.end_s))
    return grew_s


def _joined(ends_s: Sequence[float], back_s: float) -> list[Window]:
    """The time before each end, as few windows."""
    windows: list[Window] = []
    for end_s in ends_s:
        if windows and end_s - back_s <= windows[-1].end_s:
            windows[-1] = Window(windows[-1].start_s, end_s)
        else:
            windows.append(Window(end_s - back_s, end_s))
    return windows


def _growths_s(reader: Reader, job: Selector, window: Window) -> dict[Node, float]:
    grew_s: dict[Node, float] = {}
    for series in reader.samples(job, window):
        node, at_s = reader.labelling.node_of(series.labels), _grew_s(series)
        if at_s is not None:
            grew_s[node] = max(grew_s.get(node, -math.inf), at_s)
    return grew_s


def _grew_s(series: Series) -> float | None:
    return max((later[0] for sooner, later in pairwise(series.points) if later[1] > sooner[1]), default=None)


def _before(times_s: Sequence[float], at_s: float) -> float:
    """The scrape before the first sample at `at_s`; the moment before that sample where none is near."""
    sooner_s = max((one for one in times_s if one < at_s), default=-math.inf)
    return sooner_s if at_s - sooner_s <= LOOK_BACK_S else at_s - EDGE_S
