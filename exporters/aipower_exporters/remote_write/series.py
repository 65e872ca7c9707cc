"""The series of a snapshot as remote write wants them: all labels in one, and those that come from outside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from aipower.model import Snapshot
from aipower_exporters.metrics import Metric
from aipower_exporters.remote_write import wire
from aipower_exporters.samples import collect

Labels = tuple[str, ...]


class Labeller:
    """Writes the labels of each series once, for as long as the series is there."""

    def __init__(self, external: Mapping[str, str]) -> None:
        self._external = external
        self._written: Mapping[Metric, Mapping[Labels, bytes]] = {}

    def series(self, snapshot: Snapshot) -> dict[bytes, bytes]:
        """The values of all series of `snapshot` by their labels, both as they are sent."""
        known, now = self._written, defaultdict[Metric, dict[Labels, bytes]](dict)
        values: dict[bytes, bytes] = {}
        for metric, rows in collect(snapshot).items():
            before, after = known.get(metric, {}), now[metric]
            for labels, number in rows.items():
                named = after[labels] = before.get(labels) or self._labels(metric, labels)
                values[named] = wire.value(number)
        self._written = now
        return values

    def _labels(self, metric: Metric, values: Labels) -> bytes:
        """A label of the metric stands before one from outside, even where it is empty.

        So a Prometheus does it that scrapes the page with `honor_labels`.
        """
        own = dict(zip(metric.labels, values, strict=True))
        return wire.labels({**self._external, **own, "__name__": metric.name}.items())
