"""Reads what was sent, with OpenTelemetry's own messages."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint

Attributes = frozenset[tuple[str, str]]
Series = tuple[str, Attributes]


@dataclass(frozen=True)
class Read:
    """One point."""

    value: float | int | None
    """None for the end of the series."""
    start_ns: int
    at_ns: int
    unit: str
    kind: str
    """As in `sum cumulative monotonic`."""


def request(body: bytes) -> ExportMetricsServiceRequest:
    return ExportMetricsServiceRequest.FromString(body)


def resources(sent: ExportMetricsServiceRequest) -> list[dict[str, str]]:
    return [{pair.key: pair.value.string_value for pair in one.resource.attributes} for one in sent.resource_metrics]


def points(sent: ExportMetricsServiceRequest) -> dict[Series, Read]:
    """The points of a request; no series is twice in it, and no metric in what was sent at once."""
    pairs: list[tuple[Series, Read]] = []
    for scope in (scope for one in sent.resource_metrics for scope in one.scope_metrics):
        assert len({metric.name for metric in scope.metrics}) == len(scope.metrics)
        pairs += [
            (_series(metric, point), _read(metric, point)) for metric in scope.metrics for point in _points(metric)
        ]
    found = dict(pairs)
    assert len(found) == len(pairs)
    return found


def _points(metric: Metric) -> list[NumberDataPoint]:
    return list(metric.gauge.data_points if metric.HasField("gauge") else metric.sum.data_points)


def _kind(metric: Metric) -> str:
    if metric.HasField("gauge"):
        return "gauge"
    assert metric.sum.aggregation_temporality == 2  # cumulative
    return "sum" if metric.sum.is_monotonic else "sum that may fall"


def _series(metric: Metric, point: NumberDataPoint) -> Series:
    attributes = frozenset((pair.key, pair.value.string_value) for pair in point.attributes)
    assert len(attributes) == len(point.attributes)
    return metric.name, attributes


def _read(metric: Metric, point: NumberDataPoint) -> Read:
    of = point.WhichOneof("value")
    value = {"as_int": point.as_int, "as_double": point.as_double, None: None}[of]
    assert (point.flags == 1) == (value is None)
    return Read(value, point.start_time_unix_nano, point.time_unix_nano, metric.unit, _kind(metric))
