"""Times, powers and sizes in columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.runs.words import RECENT_S, cells, cut, moment, plural, short_moment, size, span, watts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0 ms"),
        (0.0421, "42 ms"),
        (0.1, "0.10 s"),
        (59.99, "59.99 s"),
        (59.999, "1m 00s"),
        (125.0, "2m 05s"),
        (3599.6, "1h 00m"),
        (7620.0, "2h 07m"),
        (86_399.9, "1d 00h"),
        (273_600.0, "3d 04h"),
    ],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


@given(st.floats(0, 8.6e8))
def test_no_span_is_wide(seconds: float) -> None:
    assert len(span(seconds)) <= 9


@pytest.mark.parametrize(("power_w", "text"), [(0.5, "0.50 W"), (99.96, "100.0 W"), (1234.5, "1234 W")])
def test_watts(power_w: float, text: str) -> None:
    assert watts(power_w) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (20_300, "20.3 kB"), (2e9, "2.0 GB")])
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_moments() -> None:
    assert len(moment(1.795e9)) == 16
    assert short_moment(1.795e9, 1.795e9 + 60) == "Nov 18 11:06"[: len("Nov 18 ")] + moment(1.795e9)[-5:]
    assert short_moment(1.795e9, 1.795e9 + RECENT_S + 1) == moment(1.795e9)[:10]


def test_plural() -> None:
    assert (plural(1, "run"), plural(0, "run"), plural(2, "run")) == ("1 run", "0 runs", "2 runs")


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("实验室", 6, "实验室"),
        ("实验室", 5, "实验…"),
        ("实验室", 4, "实…"),
        ("a", 0, ""),
    ],
)
def test_cut(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@given(st.text(max_size=40), st.integers(0, 30))
def test_what_is_cut_fits(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= width


def test_marks_above_letters_take_no_room() -> None:
    assert cells("e\u0301") == 1
