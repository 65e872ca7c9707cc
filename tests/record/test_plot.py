"""Power in a line of characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.record.plot import BLOCKS, PLAIN, plot


def test_heights_are_from_nought() -> None:
    assert plot([0.0, 50.0, 100.0], 10) == "▁▅█"
    assert plot([99.0, 100.0], 10) == "██"


def test_what_is_not_known_is_a_gap() -> None:
    assert plot([100.0, None, 100.0], 10) == "█ █"


def test_neighbours_are_averaged_to_fit() -> None:
    assert plot([0.0, 0.0, 100.0, 100.0], 2) == "▁█"
    assert plot([None, 100.0, None, None], 2) == "█ "


def test_plain_terminals_get_plain_characters() -> None:
    assert plot([0.0, 100.0], 10, glyphs=False) == "_@"


@pytest.mark.parametrize("values_w", [[], [0.0, 0.0], [None]])
def test_nothing_drawn_is_flat(values_w: list[float | None]) -> None:
    assert set(plot(values_w, 10)) <= {" ", "▁"}


@given(st.lists(st.none() | st.floats(0, 1e6), max_size=300), st.integers(1, 80), st.booleans())
def test_it_always_fits(values_w: list[float | None], width: int, glyphs: bool) -> None:
    drawn = plot(values_w, width, glyphs=glyphs)
    assert len(drawn) == min(width, len(values_w))
    assert set(drawn) <= {*(BLOCKS if glyphs else PLAIN), " "}
