"""A load that hides between the looks of a sensor is bounded and told; one that shows itself is not."""

from __future__ import annotations

import pytest

from aipower.energy.alias import Alias, Look, comes_again, jumps
from aipower.energy.device import DeviceEnergy
from aipower.model import Fault, Reading, Usage
from aipower.seams import SensorTraits
from energy.simulator import Truth
from fakes import GPU, process

PART = Look(0.075, 0.1, part=True, limit_w=500.0)
UNKNOWN = Look(0.075, 0.1, part=False, limit_w=500.0)
SEES_ALL = Look(0.0, 0.1, part=False, limit_w=500.0)
BEGAN_S, SECONDS = 10.0, 10


def judged(busy: float, look: Look, powers_w: list[float]) -> Alias:
    """An account of 10 s in windows of 1 s, `powers_w` again and again after an idle reading of 60 W."""
    alias = Alias()
    alias.see(BEGAN_S - 1, 60.0)
    alias.open()
    for second in range(SECONDS):
        start_s = BEGAN_S + second
        for number in range(10):
            tick = 10 * second + number
            alias.see(start_s + (number + 1) / 10, powers_w[tick % len(powers_w)] + tick % 3 / 10)
        usage = Usage(start_s, start_s + 1, {process(1): busy} if busy else {})
        alias.judge(usage, start_s, start_s + 1, look)
    return alias


def test_flat_readings_of_a_device_that_is_busy_half_the_time_hide_its_load() -> None:
    """Seen at 400 W the unseen 75 % may have been at 60 W; seen at 60 W half of all may have been at the limit."""
    assert judged(0.5, PART, [400.0]).bound_uj == pytest.approx(0.75 * 340 * SECONDS * 1e6, rel=0.01)
    assert judged(0.5, PART, [60.0]).bound_uj == pytest.approx(0.5 * 440 * SECONDS * 1e6, rel=0.01)


def test_a_counter_of_which_nothing_is_known_hides_work_only_where_the_device_seems_to_rest() -> None:
    assert judged(0.5, UNKNOWN, [60.0]).bound_uj > 0
    assert judged(0.5, UNKNOWN, [400.0]).bound_uj == 0


@pytest.mark.parametrize("busy", [0.0, 1.0])
def test_a_steady_load_and_rest_hide_nothing(busy: float) -> None:
    assert judged(busy, PART, [300.0]).bound_uj == 0
    assert judged(busy, PART, [60.0]).bound_uj == 0


@pytest.mark.parametrize("powers_w", [[400.0], [60.0], [60.0, 400.0]])
def test_a_sensor_that_sees_all_of_the_time_hides_nothing(powers_w: list[float]) -> None:
    assert judged(0.5, SEES_ALL, powers_w).bound_uj == 0


@pytest.mark.parametrize("pattern", ["01", "001", "0011", "00101", "000111"])
def test_a_short_pattern_adds_half_of_what_each_change_may_hide(pattern: str) -> None:
    powers_w = [400.0 if each == "1" else 60.0 for each in pattern]
    found = judged(1.0, PART, powers_w).bound_uj / 1e6
    changes = sum(a != b for a, b in zip(pattern, pattern[1:] + pattern[0], strict=True)) * 10 / len(pattern)
    each_j = 0.5 * 0.075 * 340
    most_j = changes * each_j * SECONDS
    assert 0.6 * most_j < found < 1.05 * most_j


@pytest.mark.parametrize("period", [8, 12, 40])
def test_a_slow_square_wave_is_no_pattern(period: int) -> None:
    powers_w = [400.0] * (period // 2) + [60.0] * (period // 2)
    assert judged(1.0, PART, powers_w).bound_uj == 0


def test_a_value_that_was_missed_does_not_end_a_pattern() -> None:
    row = [60.0, 400.0] * 14
    assert comes_again(row[:24])
    broken = row[:7] + row[8:20] + row[21:26]
    assert jumps(broken)
    alias = Alias()
    alias.open()
    bounds = []
    for second, values_w in enumerate((row, broken)):
        for number, power_w in enumerate(values_w):
            alias.see(second + (number + 1) / len(values_w), power_w + number / 1000)
        alias.judge(None, float(second), second + 1.0, PART)
        bounds.append(alias.bound_uj)
    assert bounds[1] > bounds[0] > 0


def test_a_new_account_begins_without_a_bound() -> None:
    alias = judged(0.5, PART, [400.0])
    alias.open()
    assert alias.bound_uj == 0


def test_without_usage_flat_readings_tell_nothing() -> None:
    alias = Alias()
    for number in range(100):
        alias.see(number / 10, 400.0 + number % 3)
    assert not alias.judge(None, 0.0, 10.0, PART)
    assert not alias.judge(Usage(0.0, 10.0, {process(1): 5.0}, sampled=False), 0.0, 10.0, PART)


def watched(energy: DeviceEnergy, truth: Truth, busy: float, *, sample_s: float | None) -> list[Fault]:
    """20 s; the counter takes each period of 100 ms for its last `sample_s`, None where it sees all of it."""
    faults: list[Fault] = []
    counter_j = 0.0
    for number in range(100, 300):
        end_s = number / 10
        mean_w = truth.between_j(end_s - 0.025, end_s) / 0.025
        counter_j += truth.between_j(end_s - 0.1, end_s) if sample_s is None else mean_w * 0.1
        faults.extend(energy.advance(Reading(end_s + 0.002, int(counter_j * 1e6), mean_w + number % 5 / 10)).faults)
        if number == 110:
            energy.open(11.0)
        if number > 110 and number % 10 == 0:
            usage = Usage(end_s - 1, end_s, {process(1): busy})
            faults.extend(energy.worked(usage, end_s))
    return faults


def square(high_s: float) -> Truth:
    """A period of 100 ms from 11 s on, high in its last `high_s`: just when the sensor looks."""
    edges = [(0.0, 60.0), (10.45, 200.0), (10.65, 60.0)]
    for number in range(110, 310):
        edges += [((number + 1) / 10 - high_s, 400.0), ((number + 1) / 10, 60.0)]
    return Truth(edges)


def test_an_alias_is_told_once_and_the_interval_holds_the_truth() -> None:
    energy = DeviceEnergy(GPU, SensorTraits(max_power_w=1000.0), 5.0)
    truth = square(0.05)
    faults = watched(energy, truth, 0.5, sample_s=0.025)
    assert [(fault.reason, fault.retry) for fault in faults] == [("alias", True)]
    assert "part of the time" in faults[0].detail
    found_j = 400 * 18.9
    assert abs(found_j - truth.between_j(11.0, 29.9)) < 1.96 * energy.se_uj / 1e6


def test_a_counter_that_sees_all_of_the_time_raises_nothing() -> None:
    energy = DeviceEnergy(GPU, SensorTraits(max_power_w=1000.0), 5.0)
    assert watched(energy, square(0.05), 0.5, sample_s=None) == []
    assert energy.se_uj < 10e6
