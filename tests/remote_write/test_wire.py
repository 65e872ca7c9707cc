"""What we write is what Google's protobuf reads."""

from __future__ import annotations

import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from aipower_exporters.remote_write import wire
from remote_write.protos import write_request

NAMES = st.text(st.characters(codec="utf-8"), max_size=200)
PAIRS = st.dictionaries(NAMES, NAMES, max_size=5)
SERIES = st.lists(st.tuples(PAIRS, st.floats()), max_size=5)


@given(SERIES, st.integers(0, 2**63 - 1))
def test_any_series_are_read_as_they_were_written(series: list[tuple[dict[str, str], float]], at_ms: int) -> None:
    body = wire.write_request([(wire.labels(pairs.items()), wire.value(number)) for pairs, number in series], at_ms)
    read = write_request(body).timeseries
    assert [[(label.name, label.value) for label in one.labels] for one in read] == [
        sorted((name, text) for name, text in pairs.items() if text) for pairs, _ in series
    ]
    assert [[sample.timestamp for sample in one.samples] for one in read] == [[at_ms]] * len(series)
    for one, (_, number) in zip(read, series, strict=True):
        assert struct.pack("<d", one.samples[0].value) == struct.pack("<d", number)


@given(st.integers(0, 2**70))
def test_a_varint_has_seven_bits_to_a_byte(number: int) -> None:
    written = wire.varint(number)
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(written)) == number
    assert [byte >> 7 for byte in written] == [1] * (len(written) - 1) + [0]


def test_the_mark_of_an_ended_series_is_the_one_of_prometheus() -> None:
    assert bytes.fromhex("020000000000f07f") == wire.STALE
    assert math.isnan(struct.unpack("<d", wire.STALE)[0])
    assert wire.STALE in wire.write_request([(b"", wire.STALE)], 1)
