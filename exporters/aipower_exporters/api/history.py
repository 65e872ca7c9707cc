"""Mean power over equal steps of time, for charts."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

from aipower.errors import UsageError
from aipower.model import Device, Snapshot
from aipower.site.history import MOST_STEPS, By, Chart, Layer
from aipower.site.sources import Now, Sources
from aipower_exporters.api import query as asked
from aipower_exporters.api.documents.history import HistoryDoc, HistoryLayer
from aipower_exporters.api.limits import DEFAULT_RANGE_S, LEAST_STEP_S, MOST_STEP_S
from aipower_exporters.api.numbers import column, times
from aipower_exporters.api.power import SOON_S, summed_devices
from aipower_exporters.api.view import seconds
from aipower_exporters.api.wall import monotonic_s, offset_s

BYS: tuple[By, ...] = ("component", "process", "device")
STEPS_S = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Of which the default is one."""
USUAL_STEPS = 400
SNAP_S = 0.001
"""Times of clients are rounded; what is as near as this to the begin of a step means the begin."""


class Range(Struct, frozen=True):
    """What of the past is asked for, in monotonic seconds."""

    start_s: float
    end_s: float
    step_s: float


def history_document(
    sources: Sources, query: Mapping[str, str], snapshot: Snapshot, now: Now, start: str = "from"
) -> HistoryDoc:
    """The complete steps from the time that the parameter `start` gives.

    Raises:
        UsageError: The query makes no sense.
    """
    by = asked.choice(query, "by", BYS)
    devices = asked.devices(query) or summed_devices(snapshot)
    span = _range(sources, query, now, start)
    chart = sources.history.chart(devices, by, span.start_s, span.end_s, span.step_s)
    return _document(chart, by, devices, span, _Labels(snapshot, offset_s(now)))


def _range(sources: Sources, query: Mapping[str, str], now: Now, start: str) -> Range:
    asked_s, until_s = _time_s(query, start, now, -DEFAULT_RANGE_S), _time_s(query, "to", now, None)
    if until_s < asked_s and "to" in query:
        raise UsageError(f"to: it is before {start}; give a later time, or leave it out for now")
    reach = sources.history.reach()
    begin_s = reach[0] if reach else now.monotonic_s - seconds(sources.settings, "history_s")
    start_s = min(max(asked_s, begin_s), now.monotonic_s + SOON_S)
    end_s = max(start_s, min(until_s, now.monotonic_s))
    step_s = asked.number(query, "step", LEAST_STEP_S, MOST_STEP_S) or default_step_s(end_s - start_s)
    # The step in which the history begins is the first that there is.
    start_s = math.floor(begin_s / step_s) * step_s if asked_s < begin_s else _snapped_s(start_s, step_s)
    if (end_s - start_s) / step_s > MOST_STEPS - 1:
        least_s = math.ceil((end_s - start_s) / (MOST_STEPS - 2) * 100) / 100
        raise UsageError(
            f"step: more than {MOST_STEPS} steps; ask for step={least_s:g} or more, or for a later {start}"
        )
    return Range(start_s, end_s, step_s)


def default_step_s(span_s: float) -> float:
    """The shortest of the usual steps that makes no more of them than a chart has points."""
    return next((step_s for step_s in STEPS_S if span_s <= step_s * USUAL_STEPS), STEPS_S[-1])


def _time_s(query: Mapping[str, str], name: str, now: Now, default: float | None) -> float:
    value = asked.number(query, name)
    if value is None:
        value = default
    return now.monotonic_s if value is None else monotonic_s(value, now)


def _snapped_s(at_s: float, step_s: float) -> float:
    """The begin of the step that is meant, or `at_s` as it is."""
    begin_s = round(at_s / step_s) * step_s
    return begin_s if abs(begin_s - at_s) < SNAP_S else at_s


class _Labels:
    """Names for people, and the time for clients."""

    def __init__(self, snapshot: Snapshot, shift_s: float) -> None:
        self.shift_s = shift_s
        self._devices = {state.device.id: _name(state.device) for state in snapshot.devices}

    def of(self, layer: Layer) -> str:
        """A process has its short name, a device its kind and number, all else its key."""
        if layer.process is not None:
            return layer.process.comm
        return self._devices.get(layer.key, layer.key)


def _name(device: Device) -> str:
    return f"{device.kind} {device.index}" if device.index else device.name


def _document(chart: Chart, by: By, devices: tuple[str, ...], span: Range, labels: _Labels) -> HistoryDoc:
    shift_s = labels.shift_s
    # A step that begins before the cursor has been told already.
    skip = sum(start_s < span.start_s - SNAP_S for start_s in chart.start_s[:1])
    starts_s = chart.start_s[skip:]
    end_s = starts_s[-1] + span.step_s if starts_s else span.start_s
    return HistoryDoc(
        from_unix_s=round(span.start_s + shift_s, 3),
        to_unix_s=round(span.end_s + shift_s, 3),
        step_s=span.step_s,
        by=by,
        devices=list(devices),
        start_unix_s=times(starts_s, shift_s),
        mean_w=column(chart.mean_w[skip:]),
        min_w=column(chart.min_w[skip:]),
        max_w=column(chart.max_w[skip:]),
        half_w=column(chart.half_w[skip:]),
        layers=[_layer(layer, skip, labels) for layer in chart.layers],
        next=round(end_s + shift_s, 6),
    )


def _layer(layer: Layer, skip: int, labels: _Labels) -> HistoryLayer:
    pid = None if layer.process is None else layer.process.id.pid
    return HistoryLayer(layer.key, labels.of(layer), pid, column(layer.mean_w[skip:]), column(layer.half_w[skip:]))
