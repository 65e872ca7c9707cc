"""The points of a snapshot: which instrument, which attributes, since when, and how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from aipower.model import Device, Snapshot
from aipower_exporters.beginnings import Beginnings, beginnings
from aipower_exporters.metrics import Metric
from aipower_exporters.otlp.mapping import COMPONENT_TYPES, INSTRUMENTS, Instrument, convention
from aipower_exporters.samples import collect, label_value

LAST_UNIX_S = 18_000_000_000.0
"""64 bits of nanoseconds end in the year 2554."""
NS_PER_S = 1_000_000_000

Labels = tuple[str, ...]
Pairs = tuple[tuple[str, str], ...]
Write = Callable[[Pairs], bytes]
"""Attributes as the message has them."""


class Stream(Struct, frozen=True):
    """What never changes about a series."""

    instrument: Instrument
    attributes: bytes
    id: bytes
    """Another one for each series; bytes keep their hash, and these are looked up three times in each push."""


class Point(Struct, frozen=True):
    """One value of a series; None says that the series has ended."""

    stream: Stream
    start_ns: int
    """When it began at 0, in nanoseconds since 1970; 0 where that is unknown or means nothing."""
    value: float | None


class Streams:
    """Writes the attributes of each series once, for as long as the series is there."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._known: Mapping[Metric, Mapping[Labels, Stream]] = {}

    def points(self, snapshot: Snapshot) -> Iterator[Point]:
        """All points of `snapshot`, each with the same stream as in the one before."""
        known, now = self._known, defaultdict[Metric, dict[Labels, Stream]](dict)
        devices = {label_value(state.device.id): state.device for state in snapshot.devices}
        began = beginnings(snapshot)
        started = Beginnings(snapshot.agent.started_unix_s)
        self._known = now
        for metric, rows in collect(snapshot).items():
            since = began.get(metric, started) if metric.type != "gauge" else NOTHING
            before, after = known.get(metric, {}), now[metric]
            for labels, value in rows.items():
                stream = after[labels] = before.get(labels) or self._stream(metric, labels, devices)
                yield Point(stream, nanoseconds(since.of(labels)), value)

    def _stream(self, metric: Metric, labels: Labels, devices: Mapping[str, Device]) -> Stream:
        found = INSTRUMENTS[metric]
        named = dict(zip(metric.labels, labels, strict=True))
        special = convention(metric, named.get("kind", ""))
        if special is not None:
            return self._written(special, _hardware(named, devices))
        return self._written(found, zip(found.attributes, labels, strict=True))

    def _written(self, instrument: Instrument, pairs: Iterable[tuple[str, str]]) -> Stream:
        attributes = self._write(_shown(pairs))
        return Stream(instrument, attributes, instrument.name.encode() + attributes)


NOTHING = Beginnings(None)


def nanoseconds(unix_s: float | None) -> int:
    """Nanoseconds since 1970, as a number that the message can hold; 0 for None and what is no time."""
    if unix_s is None or not unix_s > 0:
        return 0
    # In two parts: as a float, nanoseconds since 1970 are only exact to some hundreds.
    seconds = min(unix_s, LAST_UNIX_S)
    whole = int(seconds)
    return whole * NS_PER_S + round((seconds - whole) * NS_PER_S)


def _hardware(named: Mapping[str, str], devices: Mapping[str, Device]) -> Iterator[tuple[str, str]]:
    """The attributes that the conventions for hardware name, and the index by which people know a GPU."""
    yield "hw.id", named["device"]
    yield "hw.type", COMPONENT_TYPES.get(named["kind"], "")
    device = devices.get(named["device"])
    if device is not None:
        yield "hw.name", label_value(device.name)
        yield "hw.parent", label_value(device.parent or "")
    yield "index", named["index"]


def _shown(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Without those that are empty: there, as in Prometheus, none is meant."""
    return tuple((name, value) for name, value in pairs if value)
