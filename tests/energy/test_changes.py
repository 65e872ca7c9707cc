"""The instants of publication, as far as reads can tell them."""

from __future__ import annotations

import pytest

from aipower.energy.changes import ChangeTimes, Seen
from aipower.energy.device import DeviceEnergy
from aipower.model import EnergyDelta, Fault, Reading
from aipower.seams import SensorTraits
from fakes import GPU


def test_the_period_is_measured_from_dense_reads() -> None:
    changes = ChangeTimes(0.1)
    for number in range(4):
        changes.observe(Seen(0.05 * number + 0.998, 0.05 * number + 1.002))
    assert changes.measured
    assert changes.period_s == pytest.approx(0.05)


def test_a_counter_that_moves_at_each_read_teaches_no_longer_period() -> None:
    changes = ChangeTimes(0.001)
    for number in range(10):
        changes.observe(Seen(0.005 * number, 0.005 * (number + 1)))
    assert changes.period_s == pytest.approx(0.001)


def test_sparse_reads_keep_to_the_rhythm_that_was_learned() -> None:
    changes = ChangeTimes(0.1)
    for number in range(3):
        changes.observe(Seen(1.038 + 0.1 * number, 1.042 + 0.1 * number))
    found = [changes.observe(Seen(1.3 + 0.1 * number, 1.4 + 0.1 * number)) for number in range(5)]
    assert found == pytest.approx([1.34, 1.44, 1.54, 1.64, 1.74], abs=0.001)


def test_a_sighting_that_does_not_fit_corrects_the_period() -> None:
    changes = ChangeTimes(0.1)
    changes.observe(Seen(0.999, 1.001))
    changes.observe(Seen(1.103, 1.105))
    for number in range(2, 60):
        changes.observe(Seen(1 + 0.1 * number - 0.06, 1 + 0.1 * number + 0.04))
    assert changes.period_s == pytest.approx(0.1, abs=0.001)


def test_a_sharp_last_sighting_dates_those_before_it() -> None:
    changes = ChangeTimes(0.1)
    instants = changes.align([Seen(1.0, 1.1), Seen(1.1, 1.2), Seen(1.269, 1.271)])
    assert instants == pytest.approx([1.07, 1.17, 1.27])


def faults_of(energy: DeviceEnergy, readings: list[Reading]) -> list[Fault]:
    return [fault for reading in readings for fault in energy.advance(reading).faults]


def test_a_gap_of_an_integrated_device_is_declared_and_not_filled() -> None:
    energy = DeviceEnergy(GPU, SensorTraits(), 5.0)
    deltas: list[EnergyDelta] = []
    faults: list[Fault] = []
    for at_s in (1.0, 2.0, 3.0, 10.0, 11.0):
        progress = energy.advance(Reading(at_s, None, 100.0))
        deltas.extend(progress.deltas)
        faults.extend(progress.faults)
    assert sum(delta.energy_uj for delta in deltas) == 300_000_000
    assert [(fault.reason, fault.at_s) for fault in faults] == [("gap", 10.0)]


def test_a_gap_between_power_readings_is_no_fault_while_the_counter_counts() -> None:
    energy = DeviceEnergy(GPU, SensorTraits(), 5.0)
    readings = [Reading(at_s, int(at_s * 1e8), 100.0) for at_s in (1.0, 2.0, 3.0, 20.0, 21.0)]
    assert faults_of(energy, readings) == []


def test_an_idle_counter_of_a_device_that_draws_nothing_is_not_stuck() -> None:
    energy = DeviceEnergy(GPU, SensorTraits(), 5.0)
    assert faults_of(energy, [Reading(float(at_s), 7, 0.0) for at_s in range(1, 2000)]) == []
    assert energy.method == "counter"


def test_power_that_cannot_be_is_a_fault_and_no_energy() -> None:
    energy = DeviceEnergy(GPU, SensorTraits(max_power_w=1000), 5.0)
    powers = [100.0, -5.0, float("nan"), 1e9, 100.0]
    progress = [energy.advance(Reading(float(at_s), None, power_w)) for at_s, power_w in enumerate(powers)]
    assert sum(delta.energy_uj for part in progress for delta in part.deltas) == 400_000_000
    assert [fault.reason for part in progress for fault in part.faults] == ["implausible"] * 3


def test_a_reading_of_the_past_is_no_news() -> None:
    energy = DeviceEnergy(GPU, SensorTraits(), 5.0)
    energy.advance(Reading(5.0, 100))
    progress = energy.advance(Reading(4.0, 50))
    assert not progress.deltas
    assert not progress.faults
