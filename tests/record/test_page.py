"""Rows on a page: width, colour, harmless text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aipower.record.page import LEAST_COLUMNS, Page, Row, lay_out

TEXT = st.text(max_size=200)


def test_without_a_terminal_a_row_is_a_line() -> None:
    assert lay_out([Row("GPU 0", "word " * 50)], Page()) == [f"  GPU 0    {'word ' * 50}".rstrip()]


def test_rows_are_wrapped_at_words() -> None:
    lines = lay_out([Row("phase", "one two three four five six")], Page(columns=30))
    assert lines == ["  phase    one two three four", "             five six"]


def test_a_solid_row_is_cut() -> None:
    assert lay_out([Row("", "x" * 50, solid=True)], Page(columns=40)) == [f"{'':11}{'x' * 29}"]


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), st.integers(1, 200), st.booleans())
def test_no_line_is_too_long_or_plays_with_the_terminal(
    rows: list[tuple[str, str]], columns: int, solid: bool
) -> None:
    lines = lay_out([Row(label[:8], text, solid=solid) for label, text in rows], Page(columns=columns))
    assert all(len(line) <= max(columns, LEAST_COLUMNS) for line in lines)
    assert all(char.isprintable() for line in lines for char in line)


def test_colour_only_where_there_are_colours() -> None:
    row = Row("fault", "lost", "bad")
    assert lay_out([row], Page(color=False)) == ["  fault    lost"]
    (line,) = lay_out([row], Page(color=True))
    assert line == "\x1b[36m  fault    \x1b[0m\x1b[31mlost\x1b[0m"
