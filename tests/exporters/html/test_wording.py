"""How quantities are written."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.record import wording as terminal
from aipower_exporters.html import wording

POSITIVE = st.floats(min_value=1e-3, max_value=1e12)


@given(POSITIVE)
def test_joules_are_those_of_the_terminal_up_to_megajoules(energy_j: float) -> None:
    if 1.0 <= energy_j < 9.9e8:
        assert wording.joules(energy_j) == terminal.joules(energy_j)


@given(POSITIVE, POSITIVE)
def test_intervals_are_those_of_the_terminal(one_j: float, other_j: float) -> None:
    interval_j = (min(one_j, other_j), max(one_j, other_j))
    if 1.0 <= interval_j[1] < 9.9e8:
        assert wording.bracket(interval_j) == terminal.bracket(interval_j)
    assert wording.plus_minus(one_j, interval_j) == terminal.plus_minus(one_j, interval_j)


@given(st.floats(min_value=0, max_value=1e7))
def test_durations_are_those_of_the_terminal(seconds: float) -> None:
    assert wording.duration(seconds) == terminal.duration(seconds)


@given(st.floats(min_value=1e-9, max_value=1e15))
def test_quantity_is_right_to_half_a_per_cent(value: float) -> None:
    figure, unit = wording.quantity(value, "J").split(" ")
    scale = {"GJ": 1e9, "MJ": 1e6, "kJ": 1e3, "J": 1.0, "mJ": 1e-3, "µJ": 1e-6, "nJ": 1e-9}[unit]
    assert float(figure) * scale == pytest.approx(value, rel=0.005)


@given(st.floats() | st.none())
def test_no_number_breaks_the_words(value: float | None) -> None:
    for write in (wording.joules, wording.watts):
        assert write(value)
    if value is not None:
        assert wording.duration(value)
        assert wording.number(value)
        assert wording.moment(value) is None or 0 <= value < 1e12
        assert "nan" not in wording.bracket((value, value))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0"),
        (7.0, "7"),
        (0.9134, "0.9134"),
        (3e-4, "0.0003"),
        (1_234_567.8, "1,234,568"),
        (math.inf, "inf"),
        (1e20, "1e+20"),
        (-2.5, "-2.5"),
    ],
)
def test_numbers(value: float, words: str) -> None:
    assert wording.number(value) == words


@pytest.mark.parametrize(
    ("unit", "single"),
    [
        ("tokens", "token"),
        ("batches", "batch"),
        ("boxes", "box"),
        ("passes", "pass"),
        ("class", "class"),
        ("gas", "gas"),
        ("step", "step"),
        ("", ""),
    ],
)
def test_unit_of_work_in_the_singular(unit: str, single: str) -> None:
    assert wording.singular(unit) == single


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (1023, "1023 B"), (2048, "2.00 KiB"), (3_400_000_000, "3.17 GiB"), (1 << 50, "1024.0 TiB")],
)
def test_sizes(count: int, words: str) -> None:
    assert wording.size(count) == words


def test_plurals() -> None:
    assert [wording.plural(n, "process") for n in (1, 2)] == ["1 process", "2 processes"]
    assert wording.plural(3, "GPU") == "3 GPUs"


def test_shares() -> None:
    assert wording.percent_of(1.0, 4.0) == "25.0 %"
    assert wording.percent_of(1.0, None) == wording.percent_of(None, 1.0) == wording.percent_of(1.0, 0.0) == ""
