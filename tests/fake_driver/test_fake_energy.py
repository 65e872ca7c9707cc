"""The sensors against the closed form of the scripted power."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fake_driver.build import strictest
from fake_driver.client import Driver, connect
from fake_driver.presets import a100, h100, rtx4090, v100
from fake_driver.script import (
    EnergyCounter,
    FaultRule,
    Gpu,
    Machine,
    PowerSensor,
    Ramp,
    Segment,
    Shape,
    Square,
    not_supported,
    write_clock,
)

NOT_SUPPORTED, INVALID_ARGUMENT = 3, 2
UNSIGNED_INT, UNSIGNED_LONG_LONG = 1, 3
STEADY = Segment(-1e4, 1e4, 230.0)

times_s = st.floats(0, 200, allow_nan=False)
watts = st.floats(0, 700, allow_nan=False)
spans = st.tuples(times_s, st.floats(0.01, 100)).map(lambda span: (span[0], span[0] + span[1]))
shapes: st.SearchStrategy[Shape] = st.one_of(
    st.builds(lambda span, power_w: Segment(span[0], span[1], power_w), spans, watts),
    st.builds(lambda span, first_w, last_w: Ramp(span[0], span[1], first_w, last_w), spans, watts, watts),
    st.builds(
        lambda span, power_w, period_s, duty: Square(span[0], span[1], power_w, period_s, duty),
        spans,
        watts,
        st.floats(0.005, 5),
        st.floats(0, 1),
    ),
)


def clocked(directory: Path, *gpus: Gpu) -> Machine:
    return Machine(gpus, clock=write_clock(directory / "clock", 0.0))


def counter_mj(driver: Driver, gpu: int = 0) -> int:
    value = driver.call("nvmlDeviceGetTotalEnergyConsumption", gpu)
    assert isinstance(value, int)
    return value


def published_s(counter: EnergyCounter, now_s: float) -> float:
    period_s, phase_s = counter.period_ms / 1000, counter.phase_ms / 1000
    return phase_s + math.floor((now_s - phase_s) / period_s) * period_s


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(shapes, max_size=6), min_size=1, max_size=25), st.lists(times_s, min_size=1, max_size=5))
def test_counter_is_the_closed_form(powers: list[list[Shape]], moments_s: list[float]) -> None:
    gpus = tuple(h100(number, shapes=tuple(power)) for number, power in enumerate(powers))
    with tempfile.TemporaryDirectory() as name, connect(clocked(Path(name), *gpus), Path(name)) as driver:
        for now_s in moments_s:
            driver.at(now_s)
            for index, gpu in enumerate(gpus):
                true_mj = 1000 * gpu.true_energy_j(0, published_s(gpu.energy, now_s))
                assert counter_mj(driver, index) - gpu.energy.base_mj == pytest.approx(true_mj, abs=1.001)


@pytest.mark.parametrize("preset", [h100, a100, v100, rtx4090])
def test_counter_follows_the_real_clock_within_one_step(tmp_path: Path, preset: Callable[..., Gpu]) -> None:
    shapes = (Segment(0, 1e6, 150.0), Square(0.05, 1e6, 200.0, 0.13, 0.4), Ramp(0, 60, 0, 90))
    gpu = preset(shapes=shapes)
    machine = Machine((gpu,))
    with connect(machine, tmp_path) as driver:
        for _ in range(40):
            before_s = machine.now_s()
            counted_j = (counter_mj(driver) - gpu.energy.base_mj) / 1000
            after_s = machine.now_s()
            step_s = gpu.energy.period_ms / 1000
            assert gpu.true_energy_j(0, before_s - step_s) - 0.002 <= counted_j
            assert counted_j <= gpu.true_energy_j(0, after_s) + 0.002


def test_counter_publishes_at_its_phase(tmp_path: Path) -> None:
    gpu = h100(shapes=(STEADY,), energy=EnergyCounter(period_ms=100, phase_ms=37, base_mj=1000))
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        readings = [counter_mj(driver.at(now_s)) for now_s in (1.0371, 1.0999, 1.1369, 1.1371)]
    assert readings[0] == readings[1] == readings[2]
    assert readings[0] == pytest.approx(1000 + 300_000 * 1.037, abs=1)
    assert readings[3] - readings[0] == pytest.approx(30_000, abs=1)


def test_counter_counts_only_a_quarter_when_parttime(tmp_path: Path) -> None:
    """On for the measured 25 ms of each 100 ms: the counter believes that it is always on, or never."""
    seen, unseen = Square(0.075, 1000, 400, 0.1, 0.25), Square(0.0, 1000, 400, 0.1, 0.75)
    energy = EnergyCounter("parttime", base_mj=0)
    gpus = (
        h100(idle_w=0.0, shapes=(seen,), energy=energy),
        h100(1, idle_w=0.0, shapes=(unseen,), energy=energy),
    )
    with connect(clocked(tmp_path, *gpus), tmp_path) as driver:
        driver.at(10.05)
        assert counter_mj(driver, 0) == pytest.approx(400_000 * 10, abs=2)
        assert counter_mj(driver, 1) == pytest.approx(0, abs=2)
    assert gpus[0].true_energy_j(0, 10) == pytest.approx(1000)
    assert gpus[1].true_energy_j(0, 10) == pytest.approx(3000)


def test_parttime_is_right_for_steady_power(tmp_path: Path) -> None:
    gpu = h100(shapes=(STEADY,), energy=EnergyCounter("parttime", base_mj=0))
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        assert counter_mj(driver.at(60.05)) == pytest.approx(300_000 * 60, abs=2)


def test_constant_and_absent_counters(tmp_path: Path) -> None:
    gpus = (h100(energy=EnergyCounter("constant", base_mj=123)), h100(1, energy=EnergyCounter("none")))
    with connect(clocked(tmp_path, *gpus), tmp_path) as driver:
        assert [counter_mj(driver.at(now_s), 0) for now_s in (0, 50, 100)] == [123, 123, 123]
        assert driver.code("nvmlDeviceGetTotalEnergyConsumption", 1) == NOT_SUPPORTED
        fields = driver.call("nvmlDeviceGetFieldValues", 1, [83, 191])
        assert [field["nvmlReturn"] for field in fields] == [NOT_SUPPORTED, NOT_SUPPORTED]


def test_gain_and_offset(tmp_path: Path) -> None:
    gpu = rtx4090(shapes=(STEADY,), gain=1.044, offset_w=-22.6)
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        first = counter_mj(driver.at(10.05))
        assert counter_mj(driver.at(20.05)) - first == pytest.approx(1000 * gpu.metered_energy_j(0, 10), abs=2)
        assert driver.call("nvmlDeviceGetPowerUsage", 0) == pytest.approx(1000 * (1.044 * 255 - 22.6), abs=1)
    assert gpu.true_energy_j(0, 10) == 2550


def test_reset_begins_at_zero_at_once(tmp_path: Path) -> None:
    gpu = h100(shapes=(STEADY,), resets_s=(20.02, 40.0))
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        assert counter_mj(driver.at(20.01)) > gpu.energy.base_mj
        assert counter_mj(driver.at(20.03)) == 0
        assert counter_mj(driver.at(30.05)) == pytest.approx(1000 * gpu.true_energy_j(20.02, 30.0), abs=2)
        assert counter_mj(driver.at(45.05)) == pytest.approx(1000 * gpu.true_energy_j(40, 45), abs=2)


def test_stuck_counter_catches_up(tmp_path: Path) -> None:
    gpu = h100(shapes=(STEADY,), stuck_s=((10.05, 20.05),), energy=EnergyCounter(base_mj=0))
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        stuck = {counter_mj(driver.at(now_s)) for now_s in (10.05, 12, 15, 20.04)}
        assert stuck == {3_000_000}
        assert counter_mj(driver.at(20.15)) == pytest.approx(300 * 20.1 * 1000, abs=2)


def test_jumps_stay(tmp_path: Path) -> None:
    gpu = h100(shapes=(STEADY,), jumps_mj=((5.0, 1e9), (8.0, -2e5)), energy=EnergyCounter(base_mj=0))
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        readings = [counter_mj(driver.at(now_s)) for now_s in (4.95, 5.15, 8.15)]
    assert readings == pytest.approx([300 * 4900, 300 * 5100 + 1e9, 300 * 8100 + 1e9 - 2e5], abs=2)


def test_windows_of_the_power_sensors(tmp_path: Path) -> None:
    """A step of 400 W at 10 s: half of the average's window has seen it at 10.5 s, all of the instant's."""
    gpu = h100(idle_w=100.0, shapes=(Segment(10, 100, 400),))
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        fields = driver.at(10.55).call("nvmlDeviceGetFieldValues", 0, [185, 186])
        assert fields[0]["value"]["uiVal"] == pytest.approx(300_000, abs=1)
        assert fields[1]["value"]["uiVal"] == 500_000
        assert driver.call("nvmlDeviceGetPowerUsage", 0) == fields[0]["value"]["uiVal"]


def test_draw_may_be_the_instant_power(tmp_path: Path) -> None:
    gpu = a100(idle_w=100.0, shapes=(Segment(10, 100, 300),))
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        assert driver.at(10.15).call("nvmlDeviceGetPowerUsage", 0) == 400_000


def test_average_of_samples_misses_what_samples_miss(tmp_path: Path) -> None:
    """The load is off during the last 25 ms of each 100 ms: a sampled average never sees it."""
    load = Square(0, 1000, 400, 0.1, 0.75)
    sampled = PowerSensor(100, 1000, sample_ms=25)
    gpus = (h100(shapes=(load,)), h100(1, shapes=(load,), average=sampled))
    with connect(clocked(tmp_path, *gpus), tmp_path) as driver:
        draws_mw = [driver.at(30.05).call("nvmlDeviceGetPowerUsage", index) for index in (0, 1)]
    assert draws_mw == pytest.approx([370_000, 70_000], abs=5)


def test_absent_power_sensors(tmp_path: Path) -> None:
    gpus = (v100(instant=None), a100(1))
    with connect(clocked(tmp_path, *gpus), tmp_path) as driver:
        assert driver.code("nvmlDeviceGetPowerUsage", 0) == NOT_SUPPORTED
        fields = driver.call("nvmlDeviceGetFieldValues", 1, [185, 186])
        assert [field["nvmlReturn"] for field in fields] == [NOT_SUPPORTED, 0]


def test_fields_have_types_codes_and_stamps(tmp_path: Path) -> None:
    gpu = h100(shapes=(STEADY,))
    with connect(Machine((gpu,)), tmp_path) as driver:
        before_us = time.time() * 1e6
        ids = [83, 185, 186, 187, 188, 189, 190, 191, 74, 0, 4000]
        fields = driver.call("nvmlDeviceGetFieldValues", 0, ids)
        after_us = time.time() * 1e6
    assert [field["fieldId"] for field in fields] == ids
    assert [field["nvmlReturn"] for field in fields] == [0] * 8 + [
        NOT_SUPPORTED,
        INVALID_ARGUMENT,
        INVALID_ARGUMENT,
    ]
    types = [UNSIGNED_LONG_LONG, *[UNSIGNED_INT] * 6, UNSIGNED_LONG_LONG]
    assert [field["valueType"] for field in fields[:8]] == types
    assert [field["value"]["uiVal"] for field in fields[3:7]] == [200_000, 700_000, 700_000, 700_000]
    assert fields[0]["value"] == fields[7]["value"]
    # The two clocks of the machine may be slewed against each other while the test runs.
    assert all(before_us - 50_000 <= field["timestamp"] <= after_us + 50_000 for field in fields)


def test_latency_of_fields_is_the_delay(tmp_path: Path) -> None:
    slow = FaultRule("nvmlDeviceGetFieldValues", delay_s=0.02)
    with connect(Machine((h100(faults=(slow,)),)), tmp_path) as driver:
        assert driver.call("nvmlDeviceGetFieldValues", 0, [83])[0]["latencyUsec"] >= 20_000


def test_scopes(tmp_path: Path) -> None:
    gpu = h100(idle_w=100.0, shapes=(Segment(0, 1e4, 300.0),), module_w=150.0, memory_share=0.25)
    asked = [[185, 0], [185, 1], [185, 2], [186, 1], [186, 2], [185, 3], [185, 4], [191, 1], [83, 1]]
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        fields = driver.at(50.05).call("nvmlDeviceGetFieldValues", 0, asked)
    codes = [field["nvmlReturn"] for field in fields]
    assert codes == [0, 0, 0, 0, NOT_SUPPORTED, NOT_SUPPORTED, INVALID_ARGUMENT, 0, NOT_SUPPORTED]
    assert [field["value"]["uiVal"] for field in fields[:4]] == [400_000, 550_000, 100_000, 550_000]
    assert fields[7]["value"]["ullVal"] == pytest.approx(5e9 + 550 * 50e3, abs=2)


def test_boards_that_reject_the_gpu_scope(tmp_path: Path) -> None:
    gpu = h100(gpu_scope=False, module_w=150.0)
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        fields = driver.call("nvmlDeviceGetFieldValues", 0, [185, 186, 191, [186, 1], 83])
    assert [field["nvmlReturn"] for field in fields] == [NOT_SUPPORTED] * 3 + [0, 0]


def test_one_field_may_be_missing(tmp_path: Path) -> None:
    gpu = h100(faults=not_supported("field/186"))
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        fields = driver.call("nvmlDeviceGetFieldValues", 0, [185, 186])
    assert [field["nvmlReturn"] for field in fields] == [0, NOT_SUPPORTED]


def test_samples_are_not_supported(tmp_path: Path) -> None:
    with connect(Machine((v100(),)), tmp_path) as driver:
        assert driver.code("nvmlDeviceGetSamples", 0, 0, 0) == NOT_SUPPORTED


def test_two_processes_see_one_machine(tmp_path: Path) -> None:
    shapes = (Square(0, 1000, 300, 0.37, 0.3), Ramp(3, 90, 0, 200))
    machine = clocked(tmp_path, h100(shapes=shapes), v100(1, shapes=shapes))
    first_dir, second_dir = tmp_path / "first", tmp_path / "second"
    first_dir.mkdir()
    second_dir.mkdir()
    with connect(machine, first_dir) as first, connect(machine, second_dir, variant=strictest()) as second:
        for now_s in (0.0, 1.23, 45.678, 90.1):
            write_clock(tmp_path / "clock", now_s)
            for gpu in (0, 1):
                asked = ("nvmlDeviceGetFieldValues", gpu, [83, 185, 186, 190])
                assert first.call(*asked) == second.call(*asked)


def test_counter_before_time_zero(tmp_path: Path) -> None:
    gpu = replace(h100(), shapes=(Segment(-100, 0, 30.0),))
    with connect(clocked(tmp_path, gpu), tmp_path) as driver:
        assert counter_mj(driver.at(-9.95)) == pytest.approx(5_000_000_000 - 100 * 10_000, abs=2)
