"""Pushes snapshots to a receiver of Prometheus remote write 1.0."""

from __future__ import annotations

import contextlib
import importlib
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice

from aipower.errors import UsageError
from aipower.model import Snapshot
from aipower.sinks import Sink, SinkError
from aipower_exporters.remote_write import wire
from aipower_exporters.remote_write.delivery import Delivery, Request, checked_headers
from aipower_exporters.remote_write.series import Labeller
from aipower_exporters.sinks.http import OPTION_KEYS, Answer, endpoint
from aipower_exporters.sinks.options import Options

KEYS = ("url", "labels", "headers", "max_series", *OPTION_KEYS)
EXAMPLE = "http://127.0.0.1:9090/api/v1/write"
DEFAULT_MAX_SERIES = 2000
"""As Prometheus itself has it (max_samples_per_send)."""
CLOSE_S = 1.0
"""An agent that ends waits for 1.5 s."""
LAST_UNIX_S = 253_402_300_799.0
"""The end of the year 9999."""
LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
FIXED_HEADERS: Mapping[str, str] = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}

Compress = Callable[[bytes], bytes]
Pairs = Iterable[tuple[bytes, bytes]]


class RemoteWriteSink:
    """Sends each series once for each snapshot, and the mark of an ended one for each that is no longer there."""

    def __init__(
        self,
        delivery: Delivery,
        labeller: Labeller,
        compress: Compress,
        headers: Mapping[str, str] | None = None,
        max_series: int = DEFAULT_MAX_SERIES,
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        self._delivery, self._labeller, self._compress = delivery, labeller, compress
        self._headers = {**(headers or {}), **FIXED_HEADERS, "User-Agent": "aipower"}
        self._max_series = max_series
        self._unix_s = unix_s
        self._shown: set[bytes] = set()
        """The series that the receiver has and that have not been ended there."""
        self._at_ms = 0
        self._works = False

    def push(self, snapshot: Snapshot) -> None:
        """Send all series of `snapshot`.

        Raises:
            SinkError: Not all of them arrived.
        """
        self._headers["User-Agent"] = f"aipower/{snapshot.version}"
        values = self._labeller.series(snapshot)
        self._at_ms = _milliseconds(snapshot.at_unix_s)
        try:
            self._delivery.send(self._requests(chain(values.items(), self._ended(values))), self._headers)
        except SinkError as error:
            # The rest of the page was taken.
            self._works = error.reason == "rejected"
            raise
        self._works = True

    def close(self) -> None:
        """End all series, if the receiver is there: no reader shall see the last power for minutes more."""
        if not self._works:
            return
        self._at_ms = max(_milliseconds(self._unix_s()), self._at_ms + 1)
        with contextlib.suppress(SinkError):
            self._delivery.send(self._requests(self._ended({})), self._headers, most_s=CLOSE_S)

    def _ended(self, values: Mapping[bytes, bytes]) -> Pairs:
        return [(named, wire.STALE) for named in self._shown if named not in values]

    def _requests(self, pairs: Pairs) -> Iterator[Request]:
        waiting = iter(pairs)
        while batch := list(islice(waiting, self._max_series)):
            body = self._compress(wire.write_request(batch, self._at_ms))
            yield Request(body, partial(self._note, batch))

    def _note(self, sent: Pairs, _answer: Answer) -> None:
        for named, number in sent:
            if number == wire.STALE:
                self._shown.discard(named)
            else:
                self._shown.add(named)


def remote_write(options: Mapping[str, object], name: str) -> Sink:
    """The sink of the kind `remote_write`: `aipower.sinks.SinkFactory`.

    Raises:
        UsageError: An option is wrong, or the library for snappy is missing.
    """
    del name
    read = Options.of(options, KEYS)
    target = endpoint(read, read.url("url", EXAMPLE))
    max_series = read.whole("max_series", DEFAULT_MAX_SERIES, 1, 1_000_000)
    labeller = Labeller(_external(read.texts("labels")))
    headers = checked_headers(read.texts("headers"), FIXED_HEADERS)
    return RemoteWriteSink(Delivery(target), labeller, _snappy(), headers, max_series)


def _external(given: Mapping[str, str]) -> Mapping[str, str]:
    for label in given:
        if not LABEL_NAME.fullmatch(label):
            raise UsageError(f"labels: expected names as in cluster or rack_1, not {label!r}")
    return {"job": "aipower", "instance": socket.gethostname(), **given}


def _snappy() -> Compress:
    try:
        library = importlib.import_module("cramjam")
    except ImportError as error:
        raise UsageError('kind: remote_write needs cramjam; pip install "aipower[remote-write]"') from error
    compress_raw = library.snappy.compress_raw
    return lambda body: bytes(compress_raw(body))


def _milliseconds(unix_s: float) -> int:
    """Milliseconds since 1970, as a number that the message can hold."""
    return round(min(unix_s, LAST_UNIX_S) * 1000) if unix_s > 0 else 0
