"""The messages of remote write 1.0 as bytes: a WriteRequest of TimeSeries with Labels and one Sample each.

They are written here, without a library: four messages of two fields each, of which the labels never change and are
written once. tests/remote_write reads them back with Google's own protobuf.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

STALE = struct.pack("<Q", 0x7FF0000000000002)
"""The NaN that ends a series. As bytes: on its way through a float it might lose its payload."""

_LENGTH_DELIMITED = 2
_VALUE_KEY = b"\x09"  # field 1, 64 bits
_TIMESTAMP_KEY = b"\x10"  # field 2, varint


def varint(number: int) -> bytes:
    """A number that is not negative, seven bits to a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004  # seven bits
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def nested(field: int, content: bytes) -> bytes:
    """The field number `field` with a message, a string or bytes in it."""
    return varint(field << 3 | _LENGTH_DELIMITED) + varint(len(content)) + content


def labels(pairs: Iterable[tuple[str, str]]) -> bytes:
    """The labels of a TimeSeries, sorted by name; one without a value is none."""
    return b"".join(
        nested(1, nested(1, name.encode()) + nested(2, value.encode())) for name, value in sorted(pairs) if value
    )


def value(number: float) -> bytes:
    """The value of a sample."""
    return struct.pack("<d", number)


def write_request(series: Iterable[tuple[bytes, bytes]], at_ms: int) -> bytes:
    """A WriteRequest: a sample at `at_ms`, milliseconds since 1970, for each pair of labels and value."""
    timestamp = _TIMESTAMP_KEY + varint(at_ms)
    head = b"\x12" + varint(len(_VALUE_KEY) + 8 + len(timestamp)) + _VALUE_KEY
    sample_bytes = len(head) + 8 + len(timestamp)
    parts: list[bytes] = []
    for named, number in series:
        parts += (b"\x0a", varint(len(named) + sample_bytes), named, head, number, timestamp)
    return b"".join(parts)
