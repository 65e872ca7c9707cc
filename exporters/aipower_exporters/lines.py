"""The text of series as it stands before their values, kept from page to page: of a page only the numbers change."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from msgspec import Struct

from aipower_exporters.metrics import METRICS, Metric, Sample
from aipower_exporters.samples import joined, label_value

SPARE = 1024
"""Series that are remembered beyond twice those of the last page."""


class Line(Struct, frozen=True, eq=False):
    """One series. There is one object for each text, so it is told from others by itself."""

    text: str
    """Name and labels, up to where the value comes."""
    created: str
    """The same for the time when it began."""
    labels: tuple[str, ...]
    """Clean values in the order of the metric."""


Values = Mapping[Line, float]


class Lines:
    """Remembers the lines of series.

    A line depends on nothing but the metric and its label values, so it cannot become wrong. Any thread may use it.
    """

    def __init__(self, spare: int = SPARE) -> None:
        """At most `spare` lines beyond twice those of a page are remembered."""
        self._spare = spare
        self._turn = threading.Lock()
        self._lines: dict[tuple[Metric, tuple[str, ...]], Line] = {}
        self._known: dict[Metric, dict[tuple[str, ...], Line]] = {metric: {} for metric in METRICS}

    def table(self, samples: Iterable[Sample]) -> Mapping[Metric, Values]:
        """Values by metric and line, as `samples.collect` has them by clean labels."""
        with self._turn:
            table = self._table(samples)
            self._forget(sum(map(len, table.values())))
            return table

    def _table(self, samples: Iterable[Sample]) -> Mapping[Metric, Values]:
        known = self._known
        table: dict[Metric, dict[Line, float]] = {metric: {} for metric in METRICS}
        for metric, labels, value in samples:
            line = known[metric].get(labels) or self._met(metric, labels)
            values = table[metric]
            values[line] = joined(metric, values[line], value) if line in values else value
        return table

    def _met(self, metric: Metric, raw_labels: tuple[str, ...]) -> Line:
        """The line of label values that were not met before; others that look the same when clean may have been."""
        labels = tuple([label_value(text) for text in raw_labels])
        line = self._lines.setdefault((metric, labels), line_of(metric, labels))
        return self._known[metric].setdefault(raw_labels, line)

    def _forget(self, used: int) -> None:
        """Begin anew where most lines are those of series that have left."""
        if sum(map(len, self._known.values())) > 2 * used + self._spare:
            self._lines = {}
            self._known = {metric: {} for metric in METRICS}


def line_of(metric: Metric, labels: tuple[str, ...]) -> Line:
    """The line of a series with clean labels; formats write labels by name."""
    pairs = sorted(zip(metric.labels, labels, strict=True))
    shown = ",".join(f'{name}="{_escape(value)}"' for name, value in pairs)
    braced = f"{{{shown}}} " if pairs else " "
    return Line(f"{metric.name}{braced}", f"{metric.name.removesuffix('_total')}_created{braced}", labels)


def _escape(value: str) -> str:
    """A label value as it stands between quotes; line ends are gone since it was cleaned."""
    return value.replace("\\", r"\\").replace('"', r"\"")
