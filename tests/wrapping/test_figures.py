from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.wrapping.figures import spread


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_a_quarter_is_on_either_side(values: list[float]) -> None:
    found = spread(iter(values))
    assert found.middle == pytest.approx(statistics.median(values))
    slack = 1e-6
    assert sum(value <= found.low + slack for value in values) * 4 >= len(values)
    assert sum(value >= found.high - slack for value in values) * 4 >= len(values)
    assert min(values) - slack <= found.low <= found.middle + slack
    assert found.middle - slack <= found.high <= max(values) + slack


def test_of_nothing_there_is_none() -> None:
    with pytest.raises(ValueError, match="no values"):
        spread([])


def test_written() -> None:
    assert spread([1, 2, 3, 4, 5]).half(1) == "2.0..4.0"
