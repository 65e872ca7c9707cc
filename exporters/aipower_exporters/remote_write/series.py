"""The series of a snapshot as remote write wants them: all labels in one, and those that come from outside."""

from __future__ import annotations

from collections.abc import Mapping

from aipower.model import Snapshot
from aipower_exporters.metrics import Metric
from aipower_exporters.remote_write import wire
from aipower_exporters.samples import collect

Key = tuple[Metric, tuple[str, ...]]


class Labeller:
    """Writes the labels of each series once, for as long as the series is there."""

    def __init__(self, external: Mapping[str, str]) -> None:
        self._external = external
        self._written: dict[Key, bytes] = {}

    def series(self, snapshot: Snapshot) -> dict[bytes, bytes]:
        """The values of all series of `snapshot` by their labels, both as they are sent."""
        known, now = self._written, dict[Key, bytes]()
        values: dict[bytes, bytes] = {}
        for metric, rows in collect(snapshot).items():
            for key_labels, number in rows.items():
                key = (metric, key_labels)
                named = now[key] = known.get(key) or self._labels(metric, key_labels)
                values[named] = wire.value(number)
        self._written = now
        return values

    def _labels(self, metric: Metric, values: tuple[str, ...]) -> bytes:
        """A label of the metric stands before one from outside, even where it is empty.

        So a Prometheus does it that scrapes the page with `honor_labels`.
        """
        own = dict(zip(metric.labels, values, strict=True))
        return wire.labels({**self._external, **own, "__name__": metric.name}.items())
