"""Every integral against a brute sum."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.scenarios.broken import shapley
from benchmarks.accuracy.truth import Noise, Power, Steps, Sum, Warming
from benchmarks.accuracy.world import Holding, Stretch, compose, process

MOMENTS = st.floats(0, 30)
LEVELS = st.lists(st.tuples(MOMENTS, st.floats(0, 1000)), min_size=1, max_size=20)


def brute_j(watts: Callable[[float], float], start_s: float, end_s: float, steps: int = 20_000) -> float:
    width_s = (end_s - start_s) / steps
    return sum(watts(start_s + (k + 0.5) * width_s) for k in range(steps)) * width_s


def test_steps_by_hand() -> None:
    power = Steps([(1.0, 100.0), (3.0, 300.0), (4.0, 50.0)])
    assert power.between_j(0, 10) == pytest.approx(1 * 100 + 2 * 100 + 300 + 6 * 50)
    assert power.between_j(2.5, 3.25) == pytest.approx(50 + 75)
    assert [power.watts(at_s) for at_s in (0, 1, 2.9, 3, 9)] == [100, 100, 100, 300, 50]


@given(LEVELS, MOMENTS, MOMENTS, MOMENTS)
def test_energy_of_two_spans_is_that_of_both(levels: list[tuple[float, float]], a: float, b: float, c: float) -> None:
    power = Steps(levels)
    first_s, middle_s, last_s = sorted((a, b, c))
    halves_j = power.between_j(first_s, middle_s) + power.between_j(middle_s, last_s)
    assert halves_j == pytest.approx(power.between_j(first_s, last_s), abs=1e-6)
    assert power.scaled(2).between_j(first_s, last_s) == pytest.approx(2 * power.between_j(first_s, last_s), abs=1e-6)


def test_steps_and_warming_match_a_brute_sum() -> None:
    rng = random.Random(1)
    steps = Steps((rng.uniform(0, 20), rng.uniform(0, 500)) for _ in range(30))
    assert steps.between_j(2, 18) == pytest.approx(brute_j(steps.watts, 2, 18), rel=1e-3)
    warming = Warming(5.0, 15.0, 30.0, 4.0)

    def rate_w(at_s: float) -> float:
        return warming.between_j(at_s - 1e-4, at_s + 1e-4) / 2e-4

    assert warming.between_j(2, 19) == pytest.approx(brute_j(rate_w, 2, 19), rel=1e-5)
    assert rate_w(15.0) == pytest.approx(30 * (1 - 2.718281828 ** (-10 / 4)), rel=1e-3)
    assert rate_w(19.0) == pytest.approx(rate_w(15.0) / 2.718281828, rel=1e-3)
    assert warming.between_j(0, 5) == 0


def test_noise_is_the_sum_of_its_steps() -> None:
    noise: Power = Noise(random.Random(3), 10.0, sigma_w=2.0, step_s=0.1)
    steps_j = [noise.between_j(k / 10, (k + 1) / 10) for k in range(100)]
    assert sum(steps_j) == pytest.approx(noise.between_j(0, 10))
    assert 1.5 < (sum((10 * joules) ** 2 for joules in steps_j) / 100) ** 0.5 < 2.5
    assert noise.between_j(0.31, 0.36) == pytest.approx(steps_j[3] / 2)
    assert noise.between_j(10, 20) == 0
    assert Sum((noise, Steps([(0, 5.0)]))).between_j(0, 10) == pytest.approx(50 + noise.between_j(0, 10))


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0, 20), st.floats(0.01, 5), st.floats(1, 400)), max_size=12))
def test_what_processes_used_and_idle_are_the_device(rows: list[tuple[int, float, float, float]]) -> None:
    free_s: dict[int, float] = {}
    stretches, holdings = [], []
    for pid, start_s, span_s, watts in sorted(rows, key=lambda row: row[1]):
        if start_s >= free_s.get(pid, 0.0):
            free_s[pid] = start_s + span_s
            stretches.append(Stretch(process(pid), start_s, start_s + span_s, watts))
            holdings.append(Holding(process(pid), start_s, start_s + span_s))
    world = compose(60.0, 40.0, stretches, holdings)
    assert world.power.between_j(0, 30) == pytest.approx(30 * 60 + sum(world.joules.values()))


def test_context_is_shared_equally_whoever_works() -> None:
    one, other = process(1), process(2)
    holdings = [Holding(one, 0, 10), Holding(other, 4, 10)]
    world = compose(50.0, 30.0, [Stretch(one, 5, 6, 100.0)], holdings)
    assert world.joules == pytest.approx({one: 4 * 30 + 6 * 15 + 100, other: 6 * 15})
    assert [segment.running for segment in world.segments] == [(one,)]


def test_shapley_parts_sum_to_what_both_draw() -> None:
    one, other = process(1), process(2)
    parts = shapley(0.8, {one: 350.0, other: 150.0})
    assert parts == pytest.approx({one: 300.0, other: 100.0})
    assert shapley(0.8, {one: 350.0}) == {one: 350.0}
