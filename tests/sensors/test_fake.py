"""The simulated machine: its counters are the integrals of its powers, and it never stands still for ever."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.model import ProcessId
from aipower.seams import SensorSet
from aipower.sensors.fake import FakeDirectory, FakeGpuUsage, FakeSensor, Wave, adopt, simulate
from fakes import FakeClock
from fakes import FakeDirectory as RealDirectory

WAVES = st.builds(
    Wave,
    st.floats(0, 100),
    st.floats(0, 70),
    st.floats(0, 600),
    st.floats(5, 100),
    st.floats(-10, 10),
)


def machine(gpus: int, clock: FakeClock) -> tuple[SensorSet, FakeDirectory]:
    return simulate(gpus, clock, None, RealDirectory())


@given(WAVES, st.floats(0, 1e5), st.floats(0.1, 30))
def test_energy_is_the_integral_of_power(wave: Wave, start_s: float, span_s: float) -> None:
    steps = 3000
    width_s = span_s / steps
    summed_j = math.fsum(wave.power_w(start_s + (n + 0.5) * width_s) for n in range(steps)) * width_s
    exact_j = wave.energy_j(start_s + span_s) - wave.energy_j(start_s)
    # The step of the context makes the midpoint rule err by up to one step's width.
    assert exact_j == pytest.approx(summed_j, rel=1e-4, abs=2 * wave.context_w * width_s * (1 + span_s / 5) + 1e-4)


@given(WAVES, st.lists(st.floats(0, 1e6), min_size=2, max_size=20))
def test_counters_never_fall(wave: Wave, times: list[float]) -> None:
    energies = [wave.energy_j(at_s) for at_s in sorted(times)]
    for before_j, after_j in itertools.pairwise(energies):
        assert after_j >= before_j - 1e-6


def test_it_is_the_same_machine_each_time() -> None:
    first, second = machine(3, FakeClock())[0], machine(3, FakeClock())[0]
    assert [sensor.device for sensor in first.sensors] == [sensor.device for sensor in second.sensors]
    assert [sensor.read() for sensor in first.sensors] == [sensor.read() for sensor in second.sensors]


@pytest.mark.parametrize("gpus", [2, 3, 8])
def test_some_gpu_always_works_and_each_rests_at_times(gpus: int) -> None:
    clock = FakeClock()
    found, _ = machine(gpus, clock)
    waves = [sensor.wave for sensor in found.sensors if isinstance(sensor, FakeSensor) and sensor.device.kind == "gpu"]
    loads = [[wave.load(at_s / 10) for wave in waves] for at_s in range(400)]
    assert all(max(row) > 0 for row in loads)
    assert all(min(column) == 0 for column in zip(*loads, strict=True))


def test_a_run_finds_the_first_gpu_at_rest_and_then_works_on_it() -> None:
    clock = FakeClock(12345.6)
    found, directory = simulate(4, clock, None, RealDirectory(), clock.monotonic_s())
    users = [source for source in found.usage.values() if isinstance(source, FakeGpuUsage)]
    assert users[0].collect().holders == frozenset()
    me = ProcessId("boot", 4711, 1)
    adopt(found.usage.values(), me)
    clock.sleep(5.0)
    busy = [source.collect().busy_s for source in users]
    assert set(busy[0]) == {me}
    strangers = {process for row in busy[1:] for process in row}
    assert strangers
    assert all(directory.alive(process) and directory.describe(process).user == "demo" for process in strangers)
