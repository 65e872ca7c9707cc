"""Sensor models against the figures they come from (science of A2 and F1)."""

from __future__ import annotations

import itertools
import random

import pytest

from benchmarks.accuracy.machine import SimulatedClock
from benchmarks.accuracy.published import Card, Published
from benchmarks.accuracy.scenarios.parts import gpu
from benchmarks.accuracy.sensors import CARDS, MODELS, SimulatedSensor, publish
from benchmarks.accuracy.truth import Power, Steps

STEADY = Steps([(0.0, 300.0)])
JUMP = Steps([(0.0, 100.0), (20.0, 300.0)])


def published(name: str, power: Power = STEADY, seed: int = 1, card: Card | None = None) -> Published:
    return publish(power, MODELS[name], random.Random(seed), card)


def moves(name: str, span_s: float, step_s: float) -> int:
    shown = published(name)
    values = [shown.counter_uj(10 + k * step_s) for k in range(int(span_s / step_s))]
    return sum(a != b for a, b in itertools.pairwise(values))


@pytest.mark.parametrize(
    ("name", "period_s"), [("v100", 0.02), ("turing", 0.1), ("ga100", 0.1), ("h100", 0.1), ("rapl", 0.001)]
)
def test_counter_moves_at_its_period(name: str, period_s: float) -> None:
    assert moves(name, 2.0, period_s / 10) == pytest.approx(2.0 / period_s, rel=0.06)


def settling_s(name: str, *, average: bool) -> float:
    """How long after a jump the reading shows all of it, by the longest of several phases."""
    model = MODELS[name]
    signal = model.average if average else model.instant
    assert signal is not None
    slowest_s = 0.0
    for seed in range(20):
        shown = published(name, JUMP, seed)
        at_s = 20.0
        while shown.watts(signal, at_s) < 299.99:
            at_s += 0.001
        slowest_s = max(slowest_s, at_s - 20.0)
    return slowest_s


@pytest.mark.parametrize(
    ("name", "average", "window_s", "period_s"),
    [
        ("v100", False, 0.01, 0.02),
        ("rtx8000", False, 0.02, 0.1),
        ("h100", False, 0.025, 0.1),
        ("h100", True, 1.0, 0.1),
        ("ada", False, 0.1, 0.1),
        ("ada-stale", False, 0.1, 0.5),
    ],
)
def test_reading_follows_a_jump_after_its_window_and_period(
    name: str, average: bool, window_s: float, period_s: float
) -> None:
    settled_s = settling_s(name, average=average)
    assert window_s + 0.6 * period_s < settled_s < window_s + 1.05 * period_s + 0.003


def test_part_time_counter_misreads_a_load_of_its_own_period_and_a_full_one_does_not() -> None:
    steps = [(0.05 * k, 400.0 if k % 2 else 60.0) for k in range(800)]
    true_j = Steps(steps).between_j(10, 30)

    def errors(name: str) -> list[float]:
        shown = [published(name, Steps(steps), seed) for seed in range(40)]
        counted_j = [((one.counter_uj(30) or 0) - (one.counter_uj(10) or 0)) / 1e6 for one in shown]
        return [abs(found_j - true_j) / true_j for found_j in counted_j]

    assert max(errors("ga100")) < 0.02
    assert 0.25 < sum(errors("ga100-part")) / 40 < 0.6


def test_counter_without_its_own_scale_counts_all_energy_in_quanta() -> None:
    shown = published("h100")
    values = [shown.counter_uj(at_s) or 0 for at_s in (10.0, 40.0)]
    assert (values[1] - values[0]) / 1e6 == pytest.approx(9000, rel=0.005)
    assert all(value % 1000 == 0 for value in values)
    assert published("pascal").counter_uj(10) is None


@pytest.mark.parametrize("name", ["rapl", "rapl-amd"])
def test_rapl_wraps_below_its_range(name: str) -> None:
    counter = MODELS[name].counter
    assert counter is not None
    assert counter.modulus_uj is not None
    shown = publish(Steps([(0.0, 20_000.0)]), MODELS[name], random.Random(1))
    values = [shown.counter_uj(float(at_s)) or 0 for at_s in range(30)]
    assert max(values) < counter.modulus_uj
    falls = [(a, b) for a, b in itertools.pairwise(values) if b < a]
    assert falls
    assert all((b - a) % counter.modulus_uj == pytest.approx(2e10, rel=0.01) for a, b in falls)


def test_card_shows_its_gain_and_offset_and_never_less_than_nothing() -> None:
    card = CARDS["RTX 4090"]
    signal = MODELS["ada"].instant
    assert signal is not None
    assert published("ada", card=card).watts(signal, 10) == pytest.approx(1.044 * 300 - 22.6, abs=0.002)
    assert published("ada", Steps([(0.0, 20.0)]), card=card).watts(signal, 10) == 0
    assert min(each.gain for each in CARDS.values()) == 0.908
    assert min(each.offset_w for each in CARDS.values()) == -22.6


def test_sensor_stamps_the_middle_of_its_call_and_stalls_now_and_then() -> None:
    model = MODELS["h100"]
    clock = SimulatedClock(10.0)
    sensor = SimulatedSensor(gpu(), model, published("h100"), clock, random.Random(5))
    took_s: list[float] = []
    reading = sensor.read()
    for _ in range(20_000):
        before_s = clock.now_s
        reading = sensor.read()
        took_s.append(clock.now_s - before_s)
        assert reading.at_s == pytest.approx((before_s + clock.now_s) / 2)
    stalls = [each for each in took_s if each > 0.006]
    assert 1 <= len(stalls) <= 30
    assert min(took_s) >= 0.0005
    assert sensor.traits.power_window_s == 0.025
    assert (reading.power_w, reading.average_w) == pytest.approx((300, 300), abs=0.01)
