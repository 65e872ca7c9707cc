"""Pushes snapshots to a receiver of OTLP over HTTP, as protobuf."""

from __future__ import annotations

import contextlib
import gzip
import importlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import chain, islice
from types import ModuleType
from urllib.parse import urlsplit

from msgspec.structs import replace

from aipower.errors import UsageError
from aipower.model import Snapshot
from aipower.sinks import Sink, SinkError
from aipower_exporters.otlp.points import Point, Streams, nanoseconds
from aipower_exporters.otlp.resource import resource
from aipower_exporters.remote_write.delivery import Delivery, Request, checked_headers
from aipower_exporters.samples import label_value
from aipower_exporters.sinks.http import OPTION_KEYS, Answer, endpoint
from aipower_exporters.sinks.options import Options

KEYS = ("url", "resource", "headers", "compression", "max_points", *OPTION_KEYS)
EXAMPLE = "http://127.0.0.1:4318/v1/metrics"
PATH = "/v1/metrics"
DEFAULT_MAX_POINTS = 4000
"""Less than 1 MB before compression; receivers take 4 MB and more."""
GZIP_LEVEL = 3
"""Level 6 takes twice as long and saves a tenth."""
CLOSE_S = 1.0
"""An agent that ends waits for 1.5 s."""
CONTENT_TYPE = "application/x-protobuf"
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


class OtlpSink:
    """Sends each series once for each snapshot, and a point without a value for each that is no longer there."""

    def __init__(
        self,
        delivery: Delivery,
        message: ModuleType,
        attributes: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        zipped: bool = True,
        max_points: int = DEFAULT_MAX_POINTS,
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        self._delivery, self._message = delivery, message
        self._attributes = dict(attributes)
        self._headers = {**(headers or {}), "Content-Type": CONTENT_TYPE}
        self._zipped, self._max_points, self._unix_s = zipped, max_points, unix_s
        self._streams = Streams(message.attributes)
        self._shown: dict[bytes, Point] = {}
        """The series that the receiver has and that have not been ended there, by the id of the stream."""
        self._version = ""
        self._at_ns = 0
        self._works = False

    def push(self, snapshot: Snapshot) -> None:
        """Send all points of `snapshot`.

        Raises:
            SinkError: Not all of them arrived.
        """
        self._version = label_value(snapshot.version)
        self._at_ns = nanoseconds(snapshot.at_unix_s)
        points = list(self._streams.points(snapshot))
        ended = self._ended({point.stream.id for point in points})
        try:
            self._delivery.send(self._requests(chain(points, ended)), self._all_headers())
        except SinkError as error:
            # The rest of the page was taken.
            self._works = error.reason == "rejected"
            raise
        self._works = True

    def close(self) -> None:
        """End all series, if the receiver is there: no reader shall see the last power for minutes more."""
        if not self._works:
            return
        self._at_ns = max(nanoseconds(self._unix_s()), self._at_ns + 1)
        with contextlib.suppress(SinkError):
            self._delivery.send(self._requests(self._ended(frozenset())), self._all_headers(), most_s=CLOSE_S)

    def _ended(self, still: AbstractSet[bytes]) -> list[Point]:
        return [replace(point, value=None) for stream, point in self._shown.items() if stream not in still]

    def _requests(self, points: Iterable[Point]) -> Iterator[Request]:
        attributes = {"service.version": self._version, **self._attributes}
        waiting = iter(points)
        while batch := list(islice(waiting, self._max_points)):
            body: bytes = self._message.request(batch, attributes, self._version, self._at_ns)
            yield Request(gzip.compress(body, GZIP_LEVEL) if self._zipped else body, partial(self._arrived, batch))

    def _arrived(self, sent: Sequence[Point], answer: Answer) -> None:
        for point in sent:
            if point.value is None:
                self._shown.pop(point.stream.id, None)
            else:
                self._shown[point.stream.id] = point
        self._message.check_all_taken(answer)

    def _all_headers(self) -> Mapping[str, str]:
        zipped = {"Content-Encoding": "gzip"} if self._zipped else {}
        return {**self._headers, **zipped, "User-Agent": f"aipower/{self._version}"}


def otlp(options: Mapping[str, object], name: str) -> Sink:
    """The sink of the kind `otlp`: `aipower.sinks.SinkFactory`.

    Raises:
        UsageError: An option is wrong, or the library for OTLP is missing.
    """
    del name
    read = Options.of(options, KEYS)
    target = endpoint(read, _with_path(read.url("url", EXAMPLE)))
    attributes = _checked(read.texts("resource"))
    headers = checked_headers(read.texts("headers"), ("Content-Type", "Content-Encoding"))
    zipped = read.choice("compression", "gzip", ("gzip", "none")) == "gzip"
    max_points = read.whole("max_points", DEFAULT_MAX_POINTS, 1, 1_000_000)
    message = _library()
    return OtlpSink(
        Delivery(target, told=message.told),
        message,
        resource(attributes),
        headers=headers,
        zipped=zipped,
        max_points=max_points,
    )


def _with_path(url: str) -> str:
    """The address of metrics where only that of the receiver is given, as others do it."""
    parts = urlsplit(url)
    return parts._replace(path=PATH).geturl() if parts.path in {"", "/"} else url


def _checked(given: Mapping[str, str]) -> Mapping[str, str]:
    for name in given:
        if not ATTRIBUTE.fullmatch(name):
            raise UsageError(f"resource: expected names as in deployment.environment.name, not {name!r}")
    return given


def _library() -> ModuleType:
    try:
        return importlib.import_module("aipower_exporters.otlp.message")
    except ImportError as error:
        raise UsageError('kind: otlp needs opentelemetry-proto; pip install "aipower[otlp]"') from error
