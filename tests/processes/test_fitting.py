"""Laws of the fit: rows keep their sums, columns their room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.processes.fitting import TOLERANCE, fit

SECONDS = st.one_of(st.just(0.0), st.floats(0.001, 100.0))


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[float]], list[float]]:
    width = draw(st.integers(1, 4))
    line = st.lists(SECONDS, min_size=width, max_size=width)
    return draw(st.lists(line, max_size=6)), draw(line)


@given(tables())
def test_rows_keep_their_sums_and_columns_hold_what_they_can(case: tuple[list[list[float]], list[float]]) -> None:
    rows, columns = case
    fitted = fit(rows, columns)
    assert [sum(row) for row in fitted] == pytest.approx([sum(row) for row in rows])
    assert all(x >= 0 for row in fitted for x in row)
    total = sum(map(sum, rows))
    stretch = max(1.0, total / sum(columns)) if sum(columns) > 0 else 0.0
    for i, column in enumerate(columns):
        room = column * stretch if stretch else total / len(columns)
        assert sum(row[i] for row in fitted) <= room + 2 * TOLERANCE * max(total, sum(columns)) + 1e-9


@given(tables())
def test_rows_that_fit_stay(case: tuple[list[list[float]], list[float]]) -> None:
    rows, _ = case
    columns = [sum(column) for column in zip(*rows, strict=True)] if rows else [1.0]
    assert fit(rows, columns) == rows


def test_what_does_not_fit_moves_to_where_there_is_room() -> None:
    fitted = fit([[4.0, 0.0], [4.0, 0.0], [0.0, 1.0]], [5.0, 4.0])
    assert sum(row[0] for row in fitted) == pytest.approx(5.0, abs=0.002)
    assert fitted[0] == pytest.approx(fitted[1])
    assert fitted[2][1] > 0.95


def test_a_socket_that_did_nothing_gets_nothing() -> None:
    assert fit([[3.0, 0.0]], [0.0, 3.0]) == [pytest.approx([0.0, 3.0], abs=1e-3)]
