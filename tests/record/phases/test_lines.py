"""Lines become messages; anything else is counted and does no harm."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.record.phases.lines import MAX_LINE_BYTES, MAX_NAME, Lines, Mark, parse


def test_a_begin_has_a_parent_and_a_name() -> None:
    assert parse(b"B 2500000000 7 1 0 train%20me") == Mark("B", 2.5, 7, 1, 0, "train me")


def test_an_end_names_its_phase() -> None:
    assert parse(b"E 3000000000 7 1") == Mark("E", 3.0, 7, 1)


def test_work_and_metrics_have_a_value() -> None:
    assert parse(b"W 1000000000 7 1 tokens 12.5") == Mark("W", 1.0, 7, 1, 0, "tokens", 12.5)
    assert parse(b"M 1000000000 7 0 accuracy 0.9") == Mark("M", 1.0, 7, 0, 0, "accuracy", 0.9)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"B",
        b"B 1 7 1 0",
        b"B x 7 1 0 train",
        b"B 1 0 1 0 train",
        b"B 1 7 -1 0 train",
        b"E 1 7 1 more",
        b"X 1 7 1",
        b"W 1 7 1 tokens nan",
        b"W 1 7 1 tokens inf",
        b"M 1 7 1 loss 1e301",
        b"B 1 7 1 0 \xff",
        b"E " + b"9" * 400 + b" 7 1",
        b"E 1 7 1" + b" " * MAX_LINE_BYTES,
    ],
)
def test_what_is_no_message_is_none(line: bytes) -> None:
    assert parse(line) is None


def test_a_line_may_come_in_pieces() -> None:
    lines = Lines()
    assert lines.feed(b"E 1000000") == []
    assert lines.feed(b"000 7 1\nE 2") == [Mark("E", 1.0, 7, 1)]
    assert lines.feed(b"000000000 7 2\n") == [Mark("E", 2.0, 7, 2)]
    assert lines.bad == 0


def test_a_name_that_is_no_text_is_kept_as_far_as_it_goes() -> None:
    mark = parse(b"B 1 7 1 0 " + b"%FF" * 120)
    assert mark is not None
    assert len(mark.name) == MAX_NAME


def test_an_endless_line_takes_no_memory_and_is_one_bad_line() -> None:
    lines = Lines()
    for _ in range(100):
        lines.feed(b"x" * 4096)
    assert len(lines._rest) <= MAX_LINE_BYTES + 1
    assert lines.feed(b"\nE 1000000000 7 1\n") == [Mark("E", 1.0, 7, 1)]
    assert lines.bad == 1


@given(st.binary(max_size=2000), st.integers(1, 64))
def test_no_bytes_raise(content: bytes, size: int) -> None:
    lines = Lines()
    for at in range(0, len(content), size):
        for mark in lines.feed(content[at : at + size]):
            assert mark.pid > 0
            assert math.isfinite(mark.at_s)
            assert math.isfinite(mark.value)
    assert len(lines._rest) <= MAX_LINE_BYTES + 1
