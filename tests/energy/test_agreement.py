"""A counter and power readings that contradict each other are told of within seconds; sound ones never."""

from __future__ import annotations

import random

import pytest

from aipower.energy.device import DeviceEnergy
from aipower.model import Fault, Reading
from aipower.seams import SensorTraits
from energy.simulator import Truth, noisy, square
from fakes import GPU

FLAT = SensorTraits(power_window_s=0.1)
SHORT = SensorTraits(power_window_s=0.025)


def told(
    truth: Truth,
    traits: SensorTraits,
    seconds: float,
    *,
    gain: float = 1.0,
    power_period_s: float = 0.1,
    average: bool = False,
    sample_s: float | None = None,
) -> tuple[list[Fault], DeviceEnergy]:
    """Reads each 100 ms from 10 s on; the counter shows `gain` times the truth."""
    energy = DeviceEnergy(GPU, traits, 5.0)
    energy.open(10.0)
    rng = random.Random(1)
    faults: list[Fault] = []
    window_s = sample_s or traits.power_window_s
    for number in range(int(seconds * 10)):
        at_s = 10 + number / 10 + rng.uniform(0.001, 0.01)
        seen_s = int(at_s / power_period_s) * power_period_s
        counted_s = int(at_s * 10) / 10
        flicker_w = int(seen_s * 10) * 7 % 11 / 10
        power_w = truth.between_j(seen_s - window_s, seen_s) / window_s + flicker_w
        average_w = truth.between_j(seen_s - 1, seen_s) + flicker_w if average else None
        counter_uj = int(gain * truth.energy_j(counted_s) * 1e6)
        faults += energy.advance(Reading(at_s, counter_uj, power_w, "counter", average_w)).faults
    return faults, energy


@pytest.mark.parametrize("gain", [0.57, 1.3])
@pytest.mark.parametrize(("traits", "average"), [(FLAT, False), (FLAT, True), (SHORT, True)])
def test_a_wrong_scale_is_told_within_ten_seconds(gain: float, traits: SensorTraits, average: bool) -> None:
    faults, energy = told(Truth([(0.0, 200.0)]), traits, 10.0, gain=gain, average=average)
    assert [(fault.reason, fault.retry) for fault in faults] == [("disagreement", True)]
    # The last 0.1 s is not published yet.
    true_j, found_j = 200 * 9.8, 200 * 9.8 * gain
    assert abs(true_j - found_j) < 1.96 * energy.se_uj / 1e6 < 1.2 * found_j


LOADS = [
    Truth([(0.0, 300.0)]),
    square(30.0, random.Random(3), 0.8),
    square(30.0, random.Random(4), 0.1),
    square(30.0, random.Random(5), 3.0),
    noisy(30.0, random.Random(6)),
]


@pytest.mark.parametrize("truth", LOADS)
@pytest.mark.parametrize("traits", [FLAT, SHORT])
@pytest.mark.parametrize("average", [False, True])
def test_a_sound_sensor_is_never_doubted(truth: Truth, traits: SensorTraits, average: bool) -> None:
    faults, energy = told(truth, traits, 30.0, average=average)
    assert faults == []
    assert energy.disagreement is None


@pytest.mark.parametrize("truth", LOADS)
@pytest.mark.parametrize("average", [False, True])
def test_readings_that_a_driver_caches_are_no_disagreement(truth: Truth, average: bool) -> None:
    """Taken for 100 ms, published each 500 ms."""
    faults, _ = told(truth, FLAT, 30.0, power_period_s=0.5, average=average)
    assert faults == []


def test_a_reading_of_part_of_the_time_is_no_witness() -> None:
    faults, energy = told(Truth([(0.0, 200.0)]), SHORT, 10.0, gain=1.3)
    assert faults == []
    assert energy.disagreement is None
