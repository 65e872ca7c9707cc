"""What the simulated driver and kernel tell, against what truly ran."""

from __future__ import annotations

import random

import pytest

from benchmarks.accuracy.scenarios.processes import turns
from benchmarks.accuracy.truth import Steps
from benchmarks.accuracy.usage import CountedCpu, SampledGpu, SlicedGpu
from benchmarks.accuracy.world import Holding, Stretch, compose, process

ONE, OTHER = process(1), process(2)
HELD = [Holding(ONE, 10, 70), Holding(OTHER, 10, 40)]


def sampled(stretches: list[Stretch], seed: int = 1) -> SampledGpu:
    return SampledGpu(compose(60.0, 40.0, stretches, HELD), random.Random(seed), 75.0)


def test_lone_process_is_busy_all_the_time_in_whole_percents() -> None:
    usage = sampled([Stretch(ONE, 10, 70, 300.0)]).usage(20.0, 21.0)
    assert usage.busy_s == {ONE: pytest.approx(1.0, abs=0.18)}
    assert usage.samples == pytest.approx(6.0)
    assert usage.holders == {ONE, OTHER}
    assert sampled([]).usage(50.0, 51.0).holders == {ONE}


def test_two_that_take_turns_share_by_chance_as_a_binomial_law_says() -> None:
    both = compose(60.0, 40.0, turns([(ONE, 300.0), (OTHER, 300.0)], 10, 70, 0.007), HELD)
    shares = []
    for seed in range(40):
        busy_s = SampledGpu(both, random.Random(seed), 75.0).usage(10.0, 70.0).busy_s
        shares.append(busy_s[ONE] / (busy_s[ONE] + busy_s[OTHER]))
    mean = sum(shares) / 40
    spread = (sum((share - mean) ** 2 for share in shares) / 39) ** 0.5
    assert mean == pytest.approx(0.5, abs=0.02)
    assert spread == pytest.approx((0.25 / 360) ** 0.5, rel=0.35)


def test_sparse_work_shows_its_share_of_the_engine_and_rest_shows_nobody() -> None:
    kernels = [Stretch(ONE, 10 + 0.5 * k, 10.04 + 0.5 * k, 300.0) for k in range(60)]
    gpu = sampled(kernels)
    assert gpu.usage(10.0, 40.0).busy_s[ONE] == pytest.approx(60 * 0.04, rel=0.2)
    assert gpu.usage(45.0, 60.0).busy_s == {}


def test_cpu_ticks_of_windows_sum_to_the_ticks_of_all() -> None:
    cpu = CountedCpu({ONE: Steps([(0.0, 0.0), (10.0, 3.3), (20.0, 0.0)])}, 8)
    parts_s = [cpu.usage(10 + 0.37 * k, 10 + 0.37 * (k + 1)).busy_s[ONE] for k in range(27)]
    assert sum(parts_s) == pytest.approx(cpu.usage(10, 10 + 0.37 * 27).busy_s[ONE])
    whole = cpu.usage(0, 30)
    assert whole.busy_s[ONE] == pytest.approx(33.0)
    assert whole.capacity_s == 8 * 30
    assert cpu.usage(21, 30).busy_s == {}


def test_instances_tell_three_weighted_activities() -> None:
    courses = [Steps([(0.0, share * 2 / 7)]) for share in (0.5, 0.25, 1.0)]
    usage = SlicedGpu({ONE: courses}, HELD, lambda: 1.0).usage(20.0, 27.0)
    assert usage.activity[ONE] == pytest.approx((1.0, 0.5, 2.0))
    assert usage.busy_s[ONE] == pytest.approx(1.0)
    assert usage.samples == 0
