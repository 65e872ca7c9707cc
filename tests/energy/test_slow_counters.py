"""Counters slower than assumed, and counters that stand still: energy at the end, power, and faults."""

from __future__ import annotations

import random

import pytest

from aipower.energy.changes import ChangeTimes, Seen
from aipower.energy.device import DeviceEnergy
from aipower.model import Fault, Reading
from aipower.seams import SensorTraits
from energy.simulator import SPAWN_S, Model, Published, Run, simulated_run, steady
from fakes import CPU, GPU, FakeClock, ScriptedSensor

RAPL_TRAITS = SensorTraits(update_period_s=0.001, counter_modulus_uj=262_143_328_850, max_power_w=2000.0)
SLOW_RAPL = Model(1.0, 0.001, 61, has_power=False, latency_s=(2e-5, 5e-5), traits=RAPL_TRAITS)
NO_POWER = Model(has_power=False)


def test_a_period_is_learned_from_sparse_reads_that_mostly_bring_no_news() -> None:
    changes = ChangeTimes(0.001)
    for number in range(1, 5):
        changes.observe(Seen(number - 0.07, number + 0.03))
    assert changes.measured
    assert changes.period_s == pytest.approx(1.0)
    assert changes.believed_s == 0.001


def test_reads_as_rare_as_the_updates_teach_nothing() -> None:
    changes = ChangeTimes(0.1)
    for number in range(10):
        changes.observe(Seen(number / 10, (number + 1) / 10))
    changes.observe(Seen(1.1, 1.2))
    assert not changes.measured
    assert changes.period_s == 0.1


def test_sharp_sightings_outweigh_sparse_ones() -> None:
    changes = ChangeTimes(0.1)
    for number in range(4):
        changes.observe(Seen(0.1 * number, 0.1 * number + 0.002))
    changes.observe(Seen(2.0, 2.1))
    changes.observe(Seen(3.0, 3.1))
    assert changes.period_s == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("seed", range(40))
def test_the_last_update_of_a_slow_counter_is_not_lost(seed: int) -> None:
    """1 Hz beneath a sensor that is taken for 1 ms: 5.2 s at 100 W end between two updates."""
    run = simulated_run(steady(100.0), SLOW_RAPL, seed, 5.2, device=CPU)
    assert run.energy_j == pytest.approx(520, rel=0.05)
    claimed_j = 1.96 * run.channel.energy.se_uj / 1e6
    learned_period_j = 5.0
    assert abs(run.energy_j - 520) <= claimed_j + learned_period_j


@pytest.mark.parametrize("seed", range(20))
def test_the_peak_of_a_slow_counter_is_its_power(seed: int) -> None:
    run = simulated_run(steady(100.0), SLOW_RAPL, seed, 6.2, device=CPU)
    assert run.channel.power.peak_w == pytest.approx(100, rel=0.12)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("late_s", [0.001, 0.035])
def test_the_peak_of_a_gpu_without_a_power_field_is_its_power(seed: int, late_s: float) -> None:
    run = simulated_run(steady(400.0), NO_POWER, seed, 5.0, late_s=late_s)
    assert run.channel.power.peak_w == pytest.approx(400, rel=0.15)
    assert run.channel.power.latest_w == pytest.approx(400, rel=0.15)


def advance(energy: DeviceEnergy, readings: list[Reading]) -> list[Fault]:
    return [fault for reading in readings for fault in energy.advance(reading).faults]


def test_a_constant_counter_without_power_is_one_fault_and_no_energy() -> None:
    energy = DeviceEnergy(CPU, RAPL_TRAITS, 5.0)
    faults = advance(energy, [Reading(1 + number / 10, 777) for number in range(50)])
    assert [fault.reason for fault in faults] == ["counter_stuck"]
    assert "stands still" in faults[0].detail
    assert "no power reading" in faults[0].detail
    assert energy.close(6.0, ()) == ()
    assert energy.method == "counter"


def test_a_counter_that_moves_and_sticks_again_is_a_second_fault() -> None:
    energy = DeviceEnergy(CPU, RAPL_TRAITS, 5.0)
    values = [777] * 20 + [777 + number * 1000 for number in range(1, 5)] + [5000] * 20
    faults = advance(energy, [Reading(1 + number / 10, value) for number, value in enumerate(values)])
    assert [fault.reason for fault in faults] == ["counter_stuck", "counter_stuck"]


def test_a_slow_counter_is_not_stuck() -> None:
    rng = random.Random(1)
    clock = FakeClock()
    published = Published(steady(100.0), SLOW_RAPL, rng, SPAWN_S + 12)
    run = Run(ScriptedSensor(clock, published.reading, CPU, RAPL_TRAITS), clock, rng)
    run.drive(8.0)
    assert not run.meter.fault_records()


def test_a_stuck_counter_with_power_says_what_is_done_about_it() -> None:
    energy = DeviceEnergy(GPU, SensorTraits(), 5.0)
    faults = advance(energy, [Reading(1 + number / 10, 777, 200.0) for number in range(50)])
    assert [fault.reason for fault in faults] == ["counter_stuck"]
    assert faults[0].detail == "the counter stands still; energy is integrated from power"
