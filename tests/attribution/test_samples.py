"""What samples leave open, and what the energy of their window says about it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.attribution.samples import covariance_s2, refined
from aipower.attribution.symmetric import eigen

COLUMNS = ("a", "b", "c", "d")
WATTS = st.dictionaries(st.sampled_from(COLUMNS), st.floats(0, 1000), max_size=4)


@st.composite
def windows(draw: st.DrawFn) -> tuple[dict[str, float], dict[str, float], float, float]:
    """Seconds of some columns, all of at most the span; the usual shares of some; the span; looks."""
    span_s, looks = draw(st.floats(0.1, 10)), draw(st.integers(1, 60))

    def mix() -> dict[str, float]:
        chosen = draw(st.lists(st.sampled_from(COLUMNS), unique=True, max_size=4))
        parts = [draw(st.floats(0, 1)) for _ in chosen]
        return {column: part / max(1.0, sum(parts)) for column, part in zip(chosen, parts, strict=True)}

    return {column: share * span_s for column, share in mix().items()}, mix(), span_s, float(looks)


@given(windows())
def test_the_covariance_is_that_of_draws(window: tuple[dict[str, float], dict[str, float], float, float]) -> None:
    seconds, usual, span_s, looks = window
    found = covariance_s2(seconds, usual, span_s, looks)
    columns = sorted({*seconds, *usual})
    assert set(found) == set(itertools.product(columns, repeat=2))
    for one, other in found:
        assert found[one, other] == pytest.approx(found[other, one])
        assert found[one, other] * (1 if one == other else -1) >= 0
    matrix = [[found[one, other] for other in columns] for one in columns]
    assert min(eigen(matrix).values, default=0.0) >= -1e-9 * span_s**2


def test_two_who_fill_the_time_mirror_each_other() -> None:
    found = covariance_s2({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}, 1.0, 6.0)
    assert found["a", "a"] == found["b", "b"] == pytest.approx(0.25 / 6, rel=0.3)
    assert found["a", "b"] == pytest.approx(-0.25 / 6, rel=0.3)


def test_more_looks_leave_less_open() -> None:
    few, many = (covariance_s2({"a": 0.5}, {}, 1.0, looks)["a", "a"] for looks in (6.0, 600.0))
    assert 0 < many < few / 50


def test_without_looks_seconds_are_exact() -> None:
    assert covariance_s2({"a": 0.5}, {"a": 0.5}, 1.0, 0.0) == {}
    assert covariance_s2({"a": 0.5}, {"a": 0.5}, 0.0, 6.0) == {}


def test_no_look_says_never_of_who_usually_works() -> None:
    found = covariance_s2({"a": 1.0}, {"a": 0.5, "b": 0.5}, 1.0, 6.0)
    assert found["b", "b"] > 0
    assert found["b", "b"] < covariance_s2({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}, 1.0, 6.0)["b", "b"]


@given(windows(), WATTS, st.floats(0, 1e4), st.floats(0, 1e4))
def test_seconds_are_never_negative_and_never_less_certain_than_before(
    window: tuple[dict[str, float], dict[str, float], float, float],
    watts: dict[str, float],
    energy_j: float,
    error_j2: float,
) -> None:
    seconds, usual, span_s, looks = window
    covariance = covariance_s2(seconds, usual, span_s, looks)
    found = refined(seconds, covariance, watts, energy_j, error_j2)
    assert all(value >= 0 for value in found.seconds.values())
    for column in {one for one, _ in covariance}:
        assert -1e-9 * span_s**2 <= found.covariance_s2[column, column] <= covariance[column, column] + 1e-12


@given(st.floats(0.05, 0.95), st.floats(10, 400), st.floats(10, 400), st.floats(0, 1))
def test_an_energy_without_error_tells_the_seconds_of_two(
    seen: float, one_w: float, other_w: float, true: float
) -> None:
    """Two who fill the time: one look says little, but between their powers there is one point only."""
    if abs(one_w - other_w) < 1:
        return
    watts, seconds = {"a": one_w, "b": other_w}, {"a": seen, "b": 1 - seen}
    energy_j = true * one_w + (1 - true) * other_w
    free = 0.25 / 6
    covariance = {("a", "a"): free, ("b", "b"): free, ("a", "b"): -free, ("b", "a"): -free}
    found = refined(seconds, covariance, watts, energy_j, 0.0)
    assert sum(watts[column] * value for column, value in found.seconds.items()) == pytest.approx(energy_j, rel=1e-6)
    assert found.seconds["a"] == pytest.approx(true, abs=1e-6)
    assert found.covariance_s2["a", "a"] == pytest.approx(0, abs=1e-9)


@given(st.floats(0.05, 0.95), st.floats(10, 400), st.floats(10, 400), st.floats(0, 1))
def test_seconds_of_draws_too_explain_an_energy_without_error(
    seen: float, one_w: float, other_w: float, true: float
) -> None:
    watts, seconds = {"a": one_w, "b": other_w}, {"a": seen, "b": 1 - seen}
    energy_j = true * one_w + (1 - true) * other_w
    found = refined(seconds, covariance_s2(seconds, seconds, 1.0, 6.0), watts, energy_j, 0.0)
    if min(found.seconds.values()) > 0:
        explained_j = sum(watts[column] * value for column, value in found.seconds.items())
        assert explained_j == pytest.approx(energy_j, rel=1e-6)


def test_an_energy_that_says_nothing_changes_nothing() -> None:
    seconds = {"a": 0.5, "b": 0.5}
    covariance = covariance_s2(seconds, seconds, 1.0, 6.0)
    equal = refined(seconds, covariance, {"a": 100.0, "b": 100.0}, 110.0, 1.0)
    assert equal.seconds["a"] == pytest.approx(equal.seconds["b"]), "whoever worked, the energy would be the same"
    vague = refined(seconds, covariance, {"a": 100.0, "b": 300.0}, 400.0, 1e12)
    assert vague.seconds == pytest.approx(seconds, abs=1e-6)


@given(WATTS, st.floats(0, 1e4))
def test_exact_seconds_stay_as_they_are(watts: dict[str, float], energy_j: float) -> None:
    found = refined({"a": 0.25, "b": 1.0}, {}, watts, energy_j, 0.0)
    assert (found.seconds, found.covariance_s2, found.gains) == ({"a": 0.25, "b": 1.0}, {}, {})


def test_the_gains_are_how_seconds_follow_the_energy() -> None:
    seconds, watts = {"a": 0.5, "b": 0.5}, {"a": 100.0, "b": 300.0}
    covariance = covariance_s2(seconds, seconds, 1.0, 6.0)
    low, high = (refined(seconds, covariance, watts, energy_j, 50.0) for energy_j in (200.0, 201.0))
    for column, gain in low.gains.items():
        assert high.seconds[column] - low.seconds[column] == pytest.approx(gain)
