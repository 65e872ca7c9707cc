"""The parts that scenarios of faults, strangers, several devices and second runs are made of."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from aipower.errors import SensorError
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.sampler import UtilizationSampler
from benchmarks.accuracy.compare import compared
from benchmarks.accuracy.estimates import Estimate
from benchmarks.accuracy.machine import SimulatedClock
from benchmarks.accuracy.nvml import NvmlError, SimulatedNvml
from benchmarks.accuracy.runner import Task, simulate
from benchmarks.accuracy.scenarios import programs, several
from benchmarks.accuracy.scenarios.faults import Reloaded
from benchmarks.accuracy.scenarios.parts import gpu
from benchmarks.accuracy.sensors import MODELS, Outage, SimulatedSensor, publish
from benchmarks.accuracy.truth import Steps
from benchmarks.accuracy.usage import SampledGpu
from benchmarks.accuracy.world import Holding, Stretch, compose, process

H100 = MODELS["h100"]
STEADY = Steps([(0.0, 300.0)])
ONE = process(1)


def own(name: str, number: int = 0) -> Sequence[Estimate]:
    return [each for each in simulate(Task(name, number, 3)).estimates if each.method == "aipower"]


def test_counter_begins_anew_at_a_reset_and_power_goes_on() -> None:
    published = publish(STEADY, H100, random.Random(1))
    reloaded = Reloaded(published, 20.0)
    assert reloaded.counter_uj(19.9) == published.counter_uj(19.9)
    assert reloaded.counter_uj(20.0) == 0
    assert (reloaded.counter_uj(30.0) or 0) / 1e6 == pytest.approx(3000, rel=0.02)
    assert H100.instant is not None
    assert reloaded.watts(H100.instant, 25.0) == published.watts(H100.instant, 25.0)


def test_reads_fail_during_an_outage_and_take_their_time() -> None:
    clock = SimulatedClock(9.9)
    published = publish(STEADY, H100, random.Random(1))
    outages = [Outage(10.0, 11.0, gone=True)]
    sensor = SimulatedSensor(gpu(), H100, published, clock, random.Random(1), outages=outages)
    assert sensor.read().counter_uj is not None
    clock.now_s = 10.5
    with pytest.raises(SensorError) as caught:
        sensor.read()
    assert caught.value.reason == "gone"
    assert clock.now_s > 10.5
    clock.now_s = 11.0
    assert sensor.read().counter_uj is not None


def test_wall_clock_steps_and_the_monotonic_one_does_not() -> None:
    clock = SimulatedClock(10.0, [(12.0, -3600.0)])
    before_s = clock.unix_s()
    clock.sleep(4.0)
    assert clock.unix_s() - before_s == -3596.0
    assert clock.monotonic_s() == 14.0
    assert clock.unix_at(10.0) == before_s


def simulated_nvml(garbage: float, clock: SimulatedClock) -> SimulatedNvml:
    world = compose(60.0, 40.0, [Stretch(ONE, 10.0, 60.0, 300.0)], [Holding(ONE, 10.0, 60.0)])
    return SimulatedNvml(SampledGpu(world, random.Random(1), 70.0), clock, random.Random(2), garbage)


def test_simulated_driver_tells_samples_since_a_stamp_and_nothing_when_idle() -> None:
    clock = SimulatedClock(22.0)
    nvml = simulated_nvml(0.0, clock)
    (row,) = nvml.nvmlDeviceGetProcessUtilization(0, round(clock.unix_at(20.0) * 1e6))
    assert row.pid == ONE.pid
    assert row.smUtil >= 99
    assert clock.unix_at(21.7) * 1e6 < row.timeStamp <= clock.unix_s() * 1e6
    assert [each.pid for each in nvml.nvmlDeviceGetComputeRunningProcesses_v3(0)] == [ONE.pid]
    clock.now_s = 65.0
    with pytest.raises(NvmlError) as caught:
        nvml.nvmlDeviceGetProcessUtilization(0, round(clock.unix_at(61.0) * 1e6))
    assert caught.value.value == 6


def test_the_product_drops_rows_that_cannot_be() -> None:
    clock = SimulatedClock(20.0)
    sampler = UtilizationSampler(Driver(simulated_nvml(1.0, clock)), 0, clock)
    busy_s = 0.0
    for _ in range(10):
        clock.sleep(1.0)
        work = sampler.new_work()
        assert {each.pid for each in work} == {ONE.pid}
        busy_s += sum(each.busy_s for each in work)
    assert busy_s == pytest.approx(10.0, abs=0.4)


def test_second_run_by_the_yardstick_of_the_first() -> None:
    first = Estimate("aipower", "run", 100.0, 90.0, (80.0, 100.0), (89.1, 90.9))
    second = Estimate("aipower", "run", 110.0, 99.0, (88.0, 110.0), (98.01, 99.99))
    (both,) = compared([first], [second])
    assert both.true_j == 110.0
    assert both.found_j == pytest.approx(110.0)
    assert both.repeatable_j == pytest.approx((110 * (1 - 0.01 * 2**0.5), 110 * (1 + 0.01 * 2**0.5)))
    assert both.repeatable_j is not None
    assert both.interval_j is not None
    assert both.interval_j[1] - both.interval_j[0] > 10 * (both.repeatable_j[1] - both.repeatable_j[0])


def test_an_unknown_gain_does_not_drown_a_comparison() -> None:
    found = {each.subject: each for each in own("again/60s")}
    assert set(found) == {"device 2:1", "run 2:1", "process 2:1"}
    device = found["device 2:1"]
    assert abs(device.error_j) < 0.0005 * device.true_j


def test_a_module_is_not_added_to_what_it_contains() -> None:
    case = several.grace_hopper(random.Random(1))
    module, graphics, processor = (sum(part.joules.values()) for part in case.parts)
    found = {each.subject: each for each in own("several/grace-hopper")}
    assert module == 0.0
    assert min(graphics, processor) > 0
    assert found["all total"].true_j == pytest.approx(found["all gpu"].true_j + found["all cpu"].true_j)
    assert found["all total"].found_j == pytest.approx(found["all total"].true_j, rel=0.02)
    assert found["all total"].found_j == pytest.approx(found["all gpu"].found_j + found["all cpu"].found_j)


def test_a_strangers_work_is_not_the_runs() -> None:
    case = programs.with_a_stranger(random.Random(2))
    (stranger,) = case.strangers
    runs = {who: case.run_of(who, "run") for who in case.parts[0].joules}
    assert runs.pop(stranger) == ""
    assert set(runs.values()) == {"run"}
    found = {each.subject: each for each in own("program/with-a-stranger")}
    assert found["run"].found_j == pytest.approx(found["run"].true_j, rel=0.05)
    assert found["other"].found_j == pytest.approx(found["other"].true_j, rel=0.05)


def test_groups_are_runs_with_intervals_of_their_own() -> None:
    found = {each.subject: each for each in own("process/churn")}
    assert {"long", "all short"} < set(found)
    assert "run" not in found
    for name in ("long", "all short"):
        interval_j = found[name].repeatable_j
        assert interval_j is not None
        assert interval_j[0] <= found[name].found_j <= interval_j[1]
