"""When agents were reached and when not: holes in what is known, and nodes that never came back."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from aipower.fleet.growth import LOOK_BACK_S, Reader, Window
from aipower.fleet.names import BUILD_INFO, SENSOR_UP
from aipower.fleet.nodes import Node
from aipower.fleet.selectors import Selector, by_target_and_device
from aipower.fleet.span import MISSED

STEPS = 2000
STEP_HOLE = 2.5
"""Times the distance of two looks: a shorter hole is not seen in a long window."""


class Contact(Struct, frozen=True):
    """With one node."""

    times_s: Sequence[float]
    """Scrapes, not each of them in a long window; the one before the window is the first, if there is one near."""
    holes: Sequence[Window]
    """Between scrapes, where some did not come."""

    def last_until(self, at_s: float) -> float | None:
        """The last scrape up to a moment."""
        place = bisect_right(self.times_s, at_s)
        return self.times_s[place - 1] if place else None


def contacts(reader: Reader, targets: Sequence[str], window: Window, interval_s: float) -> dict[Node, Contact]:
    """With all nodes, in the window and shortly before."""
    start_s = window.start_s - min(LOOK_BACK_S, 4 * interval_s)
    step_s = max(interval_s / 2, (window.end_s - start_s) / STEPS, 1.0)
    query = Selector(BUILD_INFO, tuple(targets)).now("timestamp")
    times_s: dict[Node, set[float]] = defaultdict(set)
    # A step beyond the end: the grid need not meet it.
    for series in reader.client.grid(query, start_s, window.end_s + step_s, step_s):
        node = reader.labelling.node_of(series.labels)
        times_s[node].update(at_s for _, at_s in series.points if at_s <= window.end_s)
    longest_s = max(MISSED * interval_s, STEP_HOLE * step_s)
    return {node: Contact(sorted(found), _holes(sorted(found), longest_s)) for node, found in times_s.items()}


def _holes(times_s: Sequence[float], longest_s: float) -> list[Window]:
    return [Window(sooner, later) for sooner, later in pairwise(times_s) if later - sooner > longest_s]


def downs(
    reader: Reader, targets: Sequence[str], window: Window, interval_s: float
) -> dict[tuple[Node, str], list[Window]]:
    """By node and device: from the last scrape with a working sensor to the next one with it.

    What the device used in between is told at once when its sensor is back.
    """
    step_s = max(interval_s / 2, window.span_s / STEPS, 1.0)
    failed = by_target_and_device(Selector(SENSOR_UP, tuple(targets)).now())
    found: dict[tuple[Node, str], list[Window]] = {}
    for series in reader.client.grid(f"{failed} == 0", window.start_s, window.end_s + step_s, step_s):
        key = reader.labelling.node_of(series.labels), series.labels.get("device", "")
        times_s = [at_s for at_s, _ in series.points]
        far_s = step_s + interval_s
        found[key] = _joined(Window(at_s - far_s, at_s + far_s) for at_s in times_s)
    return found


def _joined(windows: Iterable[Window]) -> list[Window]:
    """Those that touch as one; they come in the order of their times."""
    joined: list[Window] = []
    for window in windows:
        if joined and window.start_s <= joined[-1].end_s:
            joined[-1] = Window(joined[-1].start_s, window.end_s)
        else:
            joined.append(window)
    return joined


def silent_since(contacts_: Mapping[Node, Contact], end_s: float, interval_s: float) -> dict[Node, float]:
    """Nodes that nobody has reached for a while when the window ended, and since when."""
    lasts = {node: contact.times_s[-1] for node, contact in contacts_.items() if contact.times_s}
    return {node: last_s for node, last_s in lasts.items() if end_s - last_s > MISSED * interval_s}
