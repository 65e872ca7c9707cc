"""What samples leave open, and what the energy of their window says about it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from operator import mul

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.attribution.samples import Covariance, Refined, covariance_s2, refined
from aipower.attribution.symmetric import eigen

COLUMNS = ("a", "b", "c", "d")
HALVES = {"a": 0.5, "b": 0.5}
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


def drawn(seconds: Mapping[str, float], usual: Mapping[str, float], span_s: float, looks: float) -> Covariance:
    found = covariance_s2(tuple({**seconds, **usual}), seconds, usual, span_s, looks)
    return Covariance((), (), (), 0.0) if found is None else found


def matrix_of(covariance: Covariance) -> list[list[float]]:
    size = range(len(covariance.columns))
    return [[covariance.at(i, j) for j in size] for i in size]


@given(windows())
def test_the_covariance_is_that_of_draws(window: tuple[dict[str, float], dict[str, float], float, float]) -> None:
    seconds, usual, span_s, looks = window
    found = drawn(seconds, usual, span_s, looks)
    assert set(found.columns) == {*seconds, *usual}
    matrix = matrix_of(found)
    for i, j in itertools.product(range(len(matrix)), repeat=2):
        assert matrix[i][j] == pytest.approx(matrix[j][i])
        assert matrix[i][j] * (1 if i == j else -1) >= 0
    assert min(eigen(matrix).values, default=0.0) >= -1e-9 * span_s**2


def test_two_who_fill_the_time_mirror_each_other() -> None:
    found = drawn({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}, 1.0, 6.0)
    assert found.at(0, 0) == found.at(1, 1) == pytest.approx(0.25 / 6, rel=0.3)
    assert found.at(0, 1) == pytest.approx(-0.25 / 6, rel=0.3)


def test_more_looks_leave_less_open() -> None:
    few, many = (drawn({"a": 0.5}, {}, 1.0, looks).at(0, 0) for looks in (6.0, 600.0))
    assert 0 < many < few / 50


def test_without_looks_seconds_are_exact() -> None:
    assert covariance_s2(("a",), {"a": 0.5}, {"a": 0.5}, 1.0, 0.0) is None
    assert covariance_s2(("a",), {"a": 0.5}, {"a": 0.5}, 0.0, 6.0) is None


def test_no_look_says_never_of_who_usually_works() -> None:
    found = drawn({"a": 1.0}, {"a": 0.5, "b": 0.5}, 1.0, 6.0)
    assert found.at(1, 1) > 0
    assert found.at(1, 1) < drawn({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5}, 1.0, 6.0).at(1, 1)


@given(windows(), WATTS, st.floats(0, 1e4), st.floats(0, 1e4))
def test_energy_corrects_seconds_as_the_matrices_say(
    window: tuple[dict[str, float], dict[str, float], float, float],
    watts: dict[str, float],
    energy_j: float,
    error_j2: float,
) -> None:
    """The update of Kalman with all elements written out; none below 0, and never less certain than before."""
    seconds, usual, span_s, looks = window
    covariance = drawn(seconds, usual, span_s, looks)
    columns, matrix = covariance.columns, matrix_of(covariance)
    size = range(len(columns))
    seen, powers = [seconds.get(c, 0.0) for c in columns], [watts.get(c, 0.0) for c in columns]
    found = refined(seen, covariance, powers, energy_j, error_j2)
    pulls = [sum(matrix[i][j] * powers[j] for j in size) for i in size]
    total_j2 = sum(pulls[i] * powers[i] for i in size) + error_j2
    # What is left of a difference has the rounding of its terms.
    if total_j2 > 1e-6 * (1 + sum(matrix[i][i] * powers[i] ** 2 for i in size)):
        step = (energy_j - sum(powers[i] * seen[i] for i in size)) / total_j2
        expected = [max(0.0, seen[i] + pulls[i] * step) for i in size]
        assert list(found.seconds) == pytest.approx(expected, rel=1e-6, abs=1e-6 * (1 + energy_j))
        for i, j in itertools.product(size, repeat=2):
            left = matrix[i][j] - pulls[i] * pulls[j] / total_j2
            image = found.times([float(k == j) for k in size])
            assert image[i] == pytest.approx(left, abs=1e-6 * span_s**2)
    for i in size:
        assert found.seconds[i] >= 0
        variance = found.variance(i)
        assert variance == pytest.approx(found.form([float(k == i) for k in size]), abs=1e-9 * span_s**2)
        assert -1e-9 * span_s**2 <= variance <= matrix[i][i] + 1e-12


@given(st.floats(0.05, 0.95), st.floats(10, 400), st.floats(10, 400), st.floats(0, 1))
def test_an_energy_without_error_tells_the_seconds_of_two(
    seen: float, one_w: float, other_w: float, true: float
) -> None:
    """Two who fill the time: one look says little, but between their powers there is one point only."""
    if abs(one_w - other_w) < 1:
        return
    watts = [one_w, other_w]
    energy_j = true * one_w + (1 - true) * other_w
    covariance = Covariance(("a", "b"), [0.5 / 6, 0.5 / 6], [0.5, 0.5], 1 / 6)
    found = refined([seen, 1 - seen], covariance, watts, energy_j, 0.0)
    assert sum(map(mul, watts, found.seconds)) == pytest.approx(energy_j, rel=1e-6)
    assert found.seconds[0] == pytest.approx(true, abs=1e-6)
    assert found.variance(0) == pytest.approx(0, abs=1e-9)


@given(st.floats(0.05, 0.95), st.floats(10, 400), st.floats(10, 400), st.floats(0, 1))
def test_seconds_of_draws_too_explain_an_energy_without_error(
    seen: float, one_w: float, other_w: float, true: float
) -> None:
    seconds = {"a": seen, "b": 1 - seen}
    energy_j = true * one_w + (1 - true) * other_w
    sampled = covariance_s2(tuple(seconds), seconds, seconds, 1.0, 6.0)
    found = refined([*seconds.values()], sampled, [one_w, other_w], energy_j, 0.0)
    if min(found.seconds) > 0:
        assert one_w * found.seconds[0] + other_w * found.seconds[1] == pytest.approx(energy_j, rel=1e-6)


def test_an_energy_that_says_nothing_changes_nothing() -> None:
    covariance = covariance_s2(tuple(HALVES), HALVES, HALVES, 1.0, 6.0)
    equal = refined([0.5, 0.5], covariance, [100.0, 100.0], 110.0, 1.0)
    assert equal.seconds[0] == pytest.approx(equal.seconds[1]), "whoever worked, the energy would be the same"
    vague = refined([0.5, 0.5], covariance, [100.0, 300.0], 400.0, 1e12)
    assert list(vague.seconds) == pytest.approx([0.5, 0.5], abs=1e-6)


@given(st.floats(0, 1000), st.floats(0, 1e4))
def test_exact_seconds_stay_as_they_are(watts: float, energy_j: float) -> None:
    assert refined([0.25, 1.0], None, [watts, 100.0], energy_j, 0.0) == Refined([0.25, 1.0])


def test_the_gains_are_how_seconds_follow_the_energy() -> None:
    covariance = covariance_s2(tuple(HALVES), HALVES, HALVES, 1.0, 6.0)
    low, high = (refined([0.5, 0.5], covariance, [100.0, 300.0], energy_j, 50.0) for energy_j in (200.0, 201.0))
    for k, gain in enumerate(low.gains):
        assert high.seconds[k] - low.seconds[k] == pytest.approx(gain)
