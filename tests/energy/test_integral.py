"""The integral of power: exact where the sensor sees all, honest where it does not, and its own period."""

from __future__ import annotations

import math
import random

import pytest

from aipower.energy.boxcar import Boxcar
from aipower.energy.integral import Integral, integral_of
from aipower.energy.part import Part
from aipower.energy.publications import Cadence
from aipower.seams import SensorTraits
from energy.simulator import Truth, noisy, square


def integrated(
    integral: Integral, truth: Truth, period_s: float, window_s: float, seed: int = 1, pause_s: float = 0.08
) -> list[Part]:
    """20 s from 10 s on, published each `period_s`, read densely at first, then each `pause_s`, up to 5 ms late."""
    rng = random.Random(seed)
    phase_s, at_s = rng.random() * period_s, 10.0
    parts: list[Part] = []
    while at_s < 30:
        seen_s = math.floor((at_s - phase_s) / period_s) * period_s + phase_s
        flicker_w = round(seen_s / period_s) % 7 / 10
        parts.extend(integral.advance(at_s, truth.between_j(seen_s - window_s, seen_s) / window_s + flicker_w))
        at_s += (pause_s if at_s > 10.25 else 0.005) + rng.random() * 0.005
    return parts


def error_j(parts: list[Part], truth: Truth) -> float:
    found_j = sum(part.energy_uj for part in parts) / 1e6
    return found_j - truth.between_j(parts[0].start_s, parts[-1].end_s)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("period_s", [0.1, 0.25, 0.8])
def test_values_that_cover_their_period_are_as_good_as_a_counter(seed: int, period_s: float) -> None:
    truth = square(30.0, random.Random(seed), period_s)
    parts = integrated(integral_of(SensorTraits(power_window_s=0.1), 5.0), truth, 0.1, 0.1, seed)
    assert abs(error_j(parts, truth)) < 15


def test_what_was_not_looked_at_is_claimed_as_uncertain() -> None:
    """A neighbour at random, seen a quarter of the time: 95 % of errors within 1.96 standard errors, and no wider
    than twice that."""
    within, claimed, squares = 0, 0.0, 0.0
    for seed in range(60):
        truth = noisy(25.0, random.Random(seed))
        integral = integral_of(SensorTraits(), 5.0)
        found_j = error_j(integrated(integral, truth, 0.1, 0.025, seed), truth)
        se_j = math.sqrt(integral.variance_uj2) / 1e6
        within += abs(found_j) <= 1.96 * se_j
        claimed, squares = claimed + se_j / 60, squares + found_j**2 / 60
    assert within >= 54
    assert claimed < 2 * math.sqrt(squares)


def test_a_period_that_is_not_the_known_one_loses_no_energy() -> None:
    """75 ms taken for 100 ms: time, not values, is then counted."""
    truth = Truth([(0.0, 200.0)])
    parts = integrated(Boxcar(0.1, 0.1, 5.0), truth, 0.075, 0.075, pause_s=0.05)
    assert abs(error_j(parts, truth)) < 0.02 * 4000


@pytest.mark.parametrize(("traits", "period_s"), [(SensorTraits(power_window_s=1.0), 0.5), (SensorTraits(), 0.5)])
def test_the_period_of_a_driver_that_caches_is_learned(traits: SensorTraits, period_s: float) -> None:
    integral = integral_of(traits, 5.0)
    integrated(integral, Truth([(0.0, 250.0)]), period_s, traits.power_window_s)
    assert integral.period_s == pytest.approx(period_s, abs=0.05)


def test_a_known_period_is_kept() -> None:
    integral = integral_of(SensorTraits(), 5.0)
    integrated(integral, noisy(25.0, random.Random(1)), 0.1, 0.025)
    assert integral.period_s == 0.1
    assert integral.sure


def test_rare_jumps_teach_no_period_but_make_it_unsure() -> None:
    cadence = Cadence(0.1, 0.05)
    for number in range(6):
        assert not cadence.see(0.4 * number, 0.4 * number + 0.1, 0.8)
    assert cadence.period_s == 0.1
    assert not cadence.sure
    cadence.see(2.05, 2.15, 0.01)
    assert cadence.sure


def test_irregular_flickers_teach_no_period() -> None:
    cadence = Cadence(0.1, 0.05)
    for at_s in (0.0, 0.3, 1.0, 1.35, 2.2, 2.5, 3.3):
        cadence.see(at_s, at_s + 0.05, 0.01)
    assert cadence.period_s == 0.1
