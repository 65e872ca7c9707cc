"""Requests and answers of OTLP as bytes, with the messages that OpenTelemetry publishes for Python.

Nothing imports this module before a sink of this kind is made: it needs the extra `aipower[otlp]`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK,
    Metric,
    NumberDataPoint,
    ScopeMetrics,
)

from aipower.sinks import SinkError
from aipower_exporters.otlp.mapping import SCHEMA_URL, Instrument
from aipower_exporters.otlp.points import Pairs, Point
from aipower_exporters.sinks.http import Answer

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

Points: TypeAlias = "RepeatedCompositeFieldContainer[NumberDataPoint]"
SCOPE = "aipower"
CONTENT_TYPE = "application/x-protobuf"
MAX_INT = 2**63


def attributes(pairs: Pairs) -> bytes:
    """A data point with nothing but its attributes."""
    point = NumberDataPoint()
    for name, text in pairs:
        pair = point.attributes.add()
        pair.key = name
        pair.value.string_value = text
    return point.SerializeToString()


def request(points: Iterable[Point], resource: Mapping[str, str], version: str, at_ns: int) -> bytes:
    """A request with `points`, all of the time `at_ns`, nanoseconds since 1970."""
    whole = ExportMetricsServiceRequest()
    of_resource = whole.resource_metrics.add(schema_url=SCHEMA_URL)
    for name, text in resource.items():
        pair = of_resource.resource.attributes.add()
        pair.key = name
        pair.value.string_value = text
    of_scope = of_resource.scope_metrics.add(schema_url=SCHEMA_URL)
    of_scope.scope.name, of_scope.scope.version = SCOPE, version
    metrics: dict[str, Points] = {}
    for point in points:
        found = point.stream.instrument
        data = metrics.get(found.name)
        if data is None:
            data = metrics[found.name] = _data(found, of_scope)
        _fill(data.add(), point, at_ns)
    return whole.SerializeToString()


def _data(found: Instrument, of_scope: ScopeMetrics) -> Points:
    """The points of a new metric."""
    metric: Metric = of_scope.metrics.add(name=found.name, unit=found.unit, description=found.description)
    if found.shape == "gauge":
        return metric.gauge.data_points
    metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    metric.sum.is_monotonic = found.shape == "sum"
    return metric.sum.data_points


def _fill(made: NumberDataPoint, point: Point, at_ns: int) -> None:
    made.MergeFromString(point.stream.attributes)
    # A clock that was set back would have it begin in the future.
    made.start_time_unix_nano = min(point.start_ns, at_ns)
    made.time_unix_nano = at_ns
    value = point.value
    if value is None:
        made.flags = DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
    elif point.stream.instrument.whole and value.is_integer() and -MAX_INT <= value < MAX_INT:
        made.as_int = int(value)
    else:
        made.as_double = value


def check_all_taken(answer: Answer) -> None:
    """See whether the receiver took every point.

    Raises:
        SinkError: `rejected`, it did not, or it is no receiver of OTLP.
    """
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/html"):
        raise SinkError("rejected", "the answer is a page for people; is the address that of a receiver?")
    try:
        count, text = _left_out(answer.body, as_json=kind.startswith("application/json"))
    except (DecodeError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise SinkError("rejected", "the answer is none of OTLP; is the address that of a receiver?") from error
    if count:
        raise SinkError("rejected", f"{count} points were not taken{_line(text)}")


def _left_out(body: bytes, *, as_json: bool) -> tuple[int, str]:
    if as_json:
        partial = json.loads(body or b"{}").get("partialSuccess") or {}
        return int(partial.get("rejectedDataPoints", 0)), str(partial.get("errorMessage", ""))
    success = ExportMetricsServiceResponse.FromString(body).partial_success
    return success.rejected_data_points, success.error_message


def told(answer: Answer) -> str:
    """What an answer that is an error says, for people."""
    if not answer.headers.get("content-type", "").startswith(CONTENT_TYPE):
        return ""
    try:
        # Such a body is a google.rpc.Status: a number and a text, as in this message of the same fields.
        return _line(ExportMetricsPartialSuccess.FromString(answer.body).error_message)
    except DecodeError:
        return ""


def _line(text: str) -> str:
    lines = text.strip().splitlines()
    clean = "".join(char if char.isprintable() else "?" for char in lines[0])[:200] if lines else ""
    return f": {clean}" if clean else ""
