"""The variance of a share, worked out at once for all and by its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.attribution.shares import spread_of

COLUMNS = ("a", "b", "c", "d")
parts = st.floats(0.0, 1.0)


@given(
    st.lists(st.lists(st.floats(-5.0, 5.0), min_size=4, max_size=4), min_size=4, max_size=4),
    st.dictionaries(st.sampled_from(COLUMNS), st.floats(0.0, 10.0)),
    st.dictionaries(st.sampled_from(COLUMNS), parts),
    parts,
)
def test_a_share_has_the_variance_of_its_definition(
    factors: list[list[float]], scales: dict[str, float], inside: dict[str, float], own: float
) -> None:
    covariance = {
        (one, other): sum(x * y for x, y in zip(factors[i], factors[j], strict=True))
        for i, one in enumerate(COLUMNS)
        for j, other in enumerate(COLUMNS)
    }
    slopes = {column: scale * (inside.get(column, 0.0) - own) for column, scale in scales.items()}
    expected = sum(slopes.get(one, 0.0) * slopes.get(other, 0.0) * value for (one, other), value in covariance.items())
    known = {column: share for column, share in inside.items() if column in scales}
    size = sum(abs(value) for value in covariance.values()) * (1 + sum(scales.values())) ** 2
    assert spread_of(covariance, scales).between(known, own) == pytest.approx(
        max(0.0, expected), abs=1e-9 * (1 + size)
    )
