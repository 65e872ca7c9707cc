"""By how much counters grew in a window, from the samples at its edges: exact, as nothing is extrapolated.

`increase()` of PromQL is an estimate: it stretches what it saw to the edges of its range, and it does not see what a
counter had gained before its first sample. aipower's counters begin at 0 and go on over restarts, so the sample at the
end less the sample at the start is the energy. Where one falls all the same its state was lost: it began again at 0.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.fleet.answers import Point, Series
from aipower.fleet.client import Client
from aipower.fleet.names import LEAVING
from aipower.fleet.nodes import Labelling, Node, own_of
from aipower.fleet.selectors import Selector

LOOK_BACK_S = 600.0
"""How old the sample at the start of a window may be: some scrapes may fail."""
RESET = 0.5
"""A counter that falls below so much of itself began again. One that falls less went on with older counters of its
journal, or two servers scraped it at nearly the same time."""
LEFT_S = 240.0
"""An account that was away for longer may have left, and one that is lower then began again."""
MOST_RAW_S = 86_400.0
"""Of all samples at once."""
EDGE_S = 0.001
"""Ranges include their left edge in Prometheus 2, not in 3: we keep off it."""

Key = tuple[Node, tuple[str, ...]]
"""The node, and values of labels of aipower's own."""


class Window(Struct, frozen=True):
    """From when to when, in Unix time."""

    start_s: float
    end_s: float

    @property
    def span_s(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


class Growth(Struct, frozen=True):
    """Of one counter."""

    value: float
    """By how much it grew."""
    last: float
    """What it shows at the end."""
    resets: int = 0
    based: bool = True
    """False where what it was at the start is not known: it is counted from its first sample on."""


class Reader(Struct, frozen=True):
    """Reads counters of one engine."""

    client: Client
    labelling: Labelling

    def key(self, series: Series, labels: Sequence[str]) -> Key:
        """Whose a series is."""
        own = own_of(series.labels)
        return self.labelling.node_of(series.labels), tuple(own.get(label, "") for label in labels)

    def keyed(self, found: Iterable[Series], labels: Sequence[str]) -> dict[Key, list[Series]]:
        """Series by whose they are: several for one where an agent was scraped twice, or under another name."""
        grouped: dict[Key, list[Series]] = defaultdict(list)
        for series in found:
            grouped[self.key(series, labels)].append(series)
        return grouped

    def over(self, function: str, selector: Selector, window: Window, labels: Sequence[str]) -> dict[Key, float]:
        """`function` over the window; the largest where several series are of one counter."""
        found = self.client.instant(selector.over(function, window.span_s - EDGE_S), window.end_s)
        return {key: max(one.value for one in rows) for key, rows in self.keyed(found, labels).items()}

    def at(self, selector: Selector, at_s: float, labels: Sequence[str]) -> dict[Key, float]:
        """The newest samples at a moment."""
        return self.over("last_over_time", selector, Window(at_s - LOOK_BACK_S, at_s), labels)

    def grown(
        self,
        selector: Selector,
        window: Window,
        labels: Sequence[str],
        began: Callable[[Key], bool],
    ) -> dict[Key, Growth]:
        """The growth of each counter that has a sample in the window.

        `began` says of one without a sample at the start whether it began at 0 since then.
        """
        lasts = self.keyed(self._over("last_over_time", selector, window, EDGE_S), labels)
        bases = self.keyed(self._over("last_over_time", selector, _before(window), 0.0), labels)
        firsts = self.over("min_over_time", selector, window, labels)
        fell = {key for key, count in self.over("resets", selector, _with_before(window), labels).items() if count > 0}
        result: dict[Key, Growth] = {}
        for key, rows in lasts.items():
            before = bases.get(key, [])
            if key in fell or len({_identity(row) for row in (*rows, *before)}) > 1:
                result[key] = self._careful(selector, window, (key, labels), began=began(key))
                continue
            last = rows[0].value
            based = bool(before) or began(key)
            base = before[0].value if before else 0.0 if based else firsts.get(key, last)
            result[key] = Growth(max(0.0, last - base), last, based=based)
        return result

    def _over(self, function: str, selector: Selector, window: Window, off_s: float) -> list[Series]:
        return self.client.instant(selector.over(function, window.span_s - off_s), window.end_s)

    def _careful(self, selector: Selector, window: Window, whose: tuple[Key, Sequence[str]], *, began: bool) -> Growth:
        """From all samples of all series of one counter."""
        (key, labels) = whose
        own = tuple(pair for pair in zip(labels, key[1], strict=True) if pair not in selector.own)
        narrow = replace(selector, own=(*selector.own, *own))
        points = [
            point
            for series in self.samples(narrow, _with_before(window))
            if self.key(series, labels) == key
            for point in series.points
        ]
        left_s = LEFT_S if selector.metric in LEAVING else math.inf
        return growth_of(sorted(set(points)), window.start_s, began=began, left_s=left_s)

    def samples(self, selector: Selector, window: Window) -> list[Series]:
        """All samples in the window."""
        return [
            series
            for piece in _pieces(window)
            for query in selector.raw(piece.span_s)
            for series in self.client.instant(query, piece.end_s)
        ]


def growth_of(points: Sequence[Point], start_s: float, *, began: bool, left_s: float = math.inf) -> Growth:
    """Of samples in the order of their times, those up to `start_s` only for what it was then.

    A counter that is lower after more than `left_s` without a sample began again at 0.
    """
    before = [point for point in points if point[0] <= start_s]
    inside = [point for point in points if point[0] > start_s]
    based = bool(before) or began
    last_s, high = before[-1] if before else (-math.inf, 0.0 if began or not inside else inside[0][1])
    total, resets = 0.0, 0
    for at_s, value in inside:
        if value < RESET * high or (value < high and at_s - last_s > left_s):
            total, resets, high = total + value, resets + 1, value
        elif value > high:
            total, high = total + value - high, value
        last_s = at_s
    return Growth(total, inside[-1][1] if inside else high, resets, based)


def _identity(series: Series) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(series.labels.items()))


def _before(window: Window) -> Window:
    return Window(window.start_s - LOOK_BACK_S, window.start_s)


def _with_before(window: Window) -> Window:
    return Window(window.start_s - LOOK_BACK_S, window.end_s)


def _pieces(window: Window) -> Iterator[Window]:
    start_s = window.start_s
    while start_s < window.end_s:
        end_s = min(window.end_s, start_s + MOST_RAW_S)
        yield Window(start_s, end_s)
        start_s = end_s
