"""Intensities from windows: found where the windows tell them, doubted where they do not."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from operator import mul

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.attribution.evidence import Evidence, Prior, Solution
from aipower.attribution.priors import of_processors, of_programs
from aipower.attribution.rows import Row, Table
from aipower.attribution.samples import covariance_s2
from aipower.attribution.work import MEASURE, STATIC
from attribution.worlds import LOOKS_PER_S, row_of, shown_w2

PAIR_W = {"a": 350.0, "b": 150.0}
EQUAL = {"a": 0.5, "b": 0.5}


def add_sampled(evidence: Evidence, true_s: Mapping[str, float], rng: random.Random) -> None:
    """One second in which `true_s` worked, as a few looks show it."""
    looks = rng.choices(list(true_s), list(true_s.values()), k=LOOKS_PER_S)
    seconds = {column: looks.count(column) / LOOKS_PER_S for column in true_s}
    energy_j = sum(PAIR_W[column] * value for column, value in true_s.items()) * rng.gauss(1, 0.005)
    evidence.add(row_of(seconds, energy_j, covariance_s2(tuple(EQUAL), seconds, EQUAL, 1.0, LOOKS_PER_S)))


def pair_of(seed: int, solo: int, both: int) -> Solution:
    """Two that look alike in `both` windows and are each alone in `solo`."""
    rng, evidence = random.Random(seed), Evidence()
    for _ in range(solo):
        add_sampled(evidence, {"a": 1.0, "b": 0.0}, rng)
        add_sampled(evidence, {"a": 0.0, "b": 1.0}, rng)
    for _ in range(both):
        add_sampled(evidence, EQUAL, rng)
    return evidence.solve(of_programs(evidence))


@given(
    st.lists(st.floats(50, 500), min_size=2, max_size=5),
    st.integers(0, 2**32),
)
def test_exact_columns_tell_the_intensities(watts: list[float], seed: int) -> None:
    rng, evidence = random.Random(seed), Evidence()
    for _ in range(200):
        seconds = {str(k): rng.random() * (rng.random() < 0.7) for k in range(len(watts))}
        evidence.add(row_of(seconds, sum(watts[int(k)] * value for k, value in seconds.items())))
    found = evidence.solve(of_programs(evidence))
    assert found.unidentified == frozenset()
    for k, watt in enumerate(watts):
        se_w = shown_w2(found, str(k), str(k)) ** 0.5
        assert found.intensity_w(str(k), 0.0) == pytest.approx(watt, rel=0.005, abs=0.5)
        assert se_w < 0.05 * max(watts)


def test_a_pair_that_is_never_apart_cannot_be_told_apart() -> None:
    doubted = sum(pair_of(seed, solo=0, both=60).unidentified == {"a", "b"} for seed in range(60))
    assert doubted >= 54


def test_a_pair_with_solo_phases_can() -> None:
    for seed in range(60):
        found = pair_of(seed, solo=15, both=30)
        assert found.unidentified == frozenset()
        for column, watts in PAIR_W.items():
            assert found.intensity_w(column, 0.0) == pytest.approx(watts, rel=0.12)
            se_w = shown_w2(found, column, column) ** 0.5
            assert abs(found.intensity_w(column, 0.0) - watts) < 4 * se_w


def test_what_is_known_of_a_pair_is_its_sum() -> None:
    """Of columns in a fixed proportion the energy tells one number; the other stays as wide as it was."""
    evidence = Evidence()
    for _ in range(50):
        evidence.add(row_of({"a": 0.5, "b": 0.5}, 250.0))
    found = evidence.solve(of_programs(evidence))
    assert found.unidentified == {"a", "b"}
    assert sum(found.values_w) / 2 == pytest.approx(250.0, rel=0.01)
    both_w2 = sum(shown_w2(found, one, other) for one in "ab" for other in "ab")
    apart_w2 = shown_w2(found, "a", "a") + shown_w2(found, "b", "b") - 2 * shown_w2(found, "a", "b")
    assert both_w2 < 0.01 * apart_w2
    assert apart_w2**0.5 > 0.5 * 250.0


def test_a_single_program_is_never_doubted() -> None:
    evidence = Evidence()
    for _ in range(10):
        evidence.add(row_of({"a": 1.0}, 300.0))
    found = evidence.solve(of_programs(evidence))
    assert found.unidentified == frozenset()
    assert found.intensity_w("a", 0.0) == pytest.approx(300.0)


def test_memory_fades() -> None:
    fading, lasting = Evidence(0.9), Evidence()
    for evidence in (fading, lasting):
        for watts in [100.0] * 60 + [300.0] * 60:
            evidence.add(row_of({"a": 1.0}, watts))
    faded, kept = (one.solve(of_programs(one)).intensity_w("a", 0.0) for one in (fading, lasting))
    assert faded == pytest.approx(300.0, rel=0.01)
    assert kept == pytest.approx(200.0, rel=0.01)
    assert fading.windows < 11 < lasting.windows


def test_a_column_without_seconds_is_left_out() -> None:
    evidence = Evidence()
    evidence.add(row_of({"a": 1.0, "b": 0.0}, 300.0))
    found = evidence.solve(of_programs(evidence))
    assert list(found.columns) == ["a"]
    assert found.intensity_w("b", 7.0) == 7.0
    assert shown_w2(found, "a", "b") == 0.0


def test_priors_stand_without_evidence() -> None:
    assert Evidence().solve({"a": Prior(100.0, 50.0)}) == Solution()
    evidence = Evidence()
    evidence.add(row_of({"a": 1e-4}, 0.03))
    for _ in range(20):
        evidence.add(row_of({"b": 1.0}, 100.0))
    found = evidence.solve({"a": Prior(100.0, 60.0), "b": Prior(100.0, 60.0)})
    assert found.intensity_w("a", 0.0) == pytest.approx(100.0, rel=0.02)
    assert shown_w2(found, "a", "a") ** 0.5 == pytest.approx(60.0, rel=0.02)


def test_intensities_are_never_negative() -> None:
    evidence = Evidence()
    for k in range(40):
        b = 0.2 if k % 2 else 0.8
        evidence.add(row_of({"a": 1.0, "b": b}, 300.0 - 100.0 * b))
    assert min(evidence.solve(of_programs(evidence)).values_w) >= 0.0


def test_a_window_without_weight_says_nothing() -> None:
    evidence = Evidence()
    for _ in range(20):
        evidence.add(row_of({"a": 1.0}, 300.0))
        evidence.add(row_of({"a": 1.0}, 30_000.0), weight=0.0)
    found = evidence.solve({"a": Prior(300.0, 100.0)})
    assert found.intensity_w("a", 0.0) == pytest.approx(300.0)


def test_the_prior_of_programs_is_the_mean_and_wider_for_measures() -> None:
    evidence = Evidence()
    evidence.add(row_of({"a": 1.0, f"{MEASURE}0": 3.0}, 800.0))
    priors = of_programs(evidence)
    assert {prior.mean_w for prior in priors.values()} == {200.0}
    assert priors[f"{MEASURE}0"].se_w > priors["a"].se_w > 0


def test_the_prior_of_processors_leaves_the_static_power_out() -> None:
    evidence = Evidence()
    evidence.add(row_of({STATIC: 1.0, "a": 4.0}, 120.0))
    static = Prior(80.0, 4.0)
    assert of_processors(evidence, static)[STATIC] == static
    assert of_processors(evidence, static)["a"].mean_w == pytest.approx(10.0)
    assert of_processors(evidence, Prior(500.0, 4.0))["a"].mean_w == 0.0


ROWS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1), min_size=1),
        st.dictionaries(st.sampled_from("abcd"), st.floats(0, 0.25)),
        st.floats(0, 500),
        st.sampled_from([0.0, 6.0]),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=12,
)
Plain = dict[tuple[str, str], float]


def plainly(rows: Sequence[Row], weights: Sequence[float], memory: float) -> tuple[Plain, Plain, dict[str, float]]:
    """The sums of products, of noise, and of seconds with energy, as they are defined."""
    seconds2, noise2, energies = Plain(), Plain(), dict[str, float]()
    for age, (row, weight) in enumerate(zip(reversed(rows), reversed(weights), strict=True)):
        part = weight * memory**age
        for i, one in enumerate(row.columns):
            energies[one] = energies.get(one, 0.0) + part * row.seconds[i] * row.energy_j
            for j, other in enumerate(row.columns):
                noise_s2 = row.covariance_s2.at(i, j) if row.covariance_s2 else 0.0
                seconds2[one, other] = seconds2.get((one, other), 0.0) + part * row.seconds[i] * row.seconds[j]
                noise2[one, other] = noise2.get((one, other), 0.0) + part * noise_s2
    return seconds2, noise2, energies


@given(ROWS, st.sampled_from([1.0, 0.9, 0.01]), st.integers(0, 12))
def test_sums_are_those_of_the_definition_however_windows_are_taken_in(
    drawn: list[tuple[dict[str, float], dict[str, float], float, float, float]], memory: float, alone: int
) -> None:
    """The first ones one by one, the others as a table."""
    rows, weights = [], [weight for *_, weight in drawn]
    for seconds, usual, energy_j, looks, _ in drawn:
        covariance = covariance_s2(tuple({**seconds, **usual}), seconds, usual, 1.0, looks)
        columns = covariance.columns if covariance else tuple(seconds)
        row = Row(columns, [seconds.get(c, 0.0) for c in columns], energy_j, covariance, len(seconds))
        rows.append(row)
    evidence = Evidence(memory)
    for row, weight in zip(rows[:alone], weights[:alone], strict=True):
        evidence.add(row, weight)
    evidence.add_all(Table(rows[alone:]), weights[alone:])
    seconds2, noise2, energies = plainly(rows, weights, memory)
    place = {column: k for k, column in enumerate(evidence.columns)}
    assert {column for column, _ in seconds2} == set(place)
    for (one, other), value in seconds2.items():
        assert evidence._seconds2[place[one]][place[other]] == pytest.approx(value, abs=1e-9)
        assert evidence._noise2[place[one]][place[other]] == pytest.approx(noise2[one, other], abs=1e-9)
    for column, value in energies.items():
        assert evidence._energies[place[column]] == pytest.approx(value, abs=1e-6)
    ages = [memory**age for age in range(len(rows))][::-1]
    assert evidence.windows == pytest.approx(sum(map(mul, weights, ages)), abs=1e-9)
    assert evidence.energy_j == pytest.approx(sum(age * row.energy_j for age, row in zip(ages, rows, strict=True)))
