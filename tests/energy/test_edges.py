"""How well a run's ends are placed: what is claimed must hold the truth."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.energy.changes import Seen
from aipower.energy.device import DeviceEnergy
from aipower.energy.edges import SHARPEST_S, Edges
from aipower.model import Reading
from aipower.seams import SensorTraits
from energy.simulator import SPAWN_S, Model, Truth, burst, noisy, simulated_run
from fakes import GPU

BOTH_SHARP_S = math.hypot(SHARPEST_S, SHARPEST_S)


def edges(*sightings: tuple[float, float], open_s: float = 1.0, close_s: float = 3.0, tail_s: float = 0.0) -> Edges:
    found = Edges()
    found.open(open_s)
    for after_s, by_s in sightings:
        found.see(Seen(after_s, by_s))
    found.close(close_s, tail_s)
    return found


def test_sharp_sightings_at_both_ends_are_good_to_five_milliseconds_each() -> None:
    assert edges((1.05, 1.052), (2.0, 2.1), (2.1, 2.2), (3.05, 3.051)).error_s(0.1) == pytest.approx(BOTH_SHARP_S)


def test_the_width_of_the_first_and_of_the_last_sighting_count() -> None:
    found = edges((1.0, 1.03), (2.0, 2.001), (3.0, 3.04))
    assert found.error_s(0.1) == pytest.approx(math.hypot(0.03, 0.04))


def test_a_change_is_no_older_than_a_period_however_rare_the_reads() -> None:
    assert edges((1.0, 2.0), (2.0, 3.0)).error_s(0.02) == pytest.approx(math.hypot(0.02, 0.02))


def test_what_was_seen_before_the_opening_says_nothing_of_the_first_edge() -> None:
    found = edges((0.5, 0.9), (1.05, 1.052), (1.15, 1.25), (3.01, 3.012))
    assert found.error_s(0.1) == pytest.approx(BOTH_SHARP_S)


def test_a_run_without_an_update_inside_is_uncertain_as_a_whole() -> None:
    found = edges((1.06, 1.062), open_s=1.0, close_s=1.03, tail_s=0.0)
    assert found.error_s(0.1) == pytest.approx(math.hypot(BOTH_SHARP_S, 0.03))
    assert edges(open_s=1.0, close_s=9.0).error_s(0.1) == pytest.approx(math.hypot(BOTH_SHARP_S, 0.1))


def test_a_run_with_one_update_inside_has_no_whole_step() -> None:
    found = edges((1.06, 1.062), (1.16, 1.162), open_s=1.0, close_s=1.08)
    assert found.error_s(0.1) == pytest.approx(math.hypot(BOTH_SHARP_S, 0.04))


def test_the_tail_that_the_counter_has_not_shown_is_uncertain() -> None:
    found = edges((1.5, 1.501), (2.5, 2.501), tail_s=0.5)
    assert found.error_s(1.0) == pytest.approx(math.hypot(SHARPEST_S, 0.5))


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.0001, 1)), max_size=10), st.floats(0, 2), st.floats(0.0001, 3))
def test_no_edge_is_perfect_and_none_is_worse_than_a_period(
    sightings: list[tuple[float, float]], tail_s: float, period_s: float
) -> None:
    found = edges(*((after_s, after_s + width_s) for after_s, width_s in sorted(sightings)), tail_s=tail_s)
    worst_s = max(period_s, SHARPEST_S)
    assert BOTH_SHARP_S <= found.error_s(period_s) <= math.sqrt(3) * worst_s * 1.0001


def test_a_device_without_a_counter_claims_five_milliseconds_per_edge() -> None:
    energy = DeviceEnergy(GPU, SensorTraits(), 5.0)
    energy.open(1.0, None)
    for number in range(20):
        energy.advance(Reading(1 + number / 10, None, 100.0))
    assert energy.edge_s == pytest.approx(BOTH_SHARP_S)


def misses(make: Callable[[int], Truth], duration_s: float, late_s: float) -> int:
    """Runs of 60 whose error is beyond the edges' at the run's power, beside 0.5 % for rounding."""
    missed = 0
    for seed in range(60):
        truth = make(seed)
        run = simulated_run(truth, Model(), seed, duration_s, late_s=late_s)
        true_j = truth.between_j(SPAWN_S, SPAWN_S + duration_s)
        power_w = max(run.channel.power.peak_w or 0.0, run.energy_j / duration_s)
        claimed_j = math.hypot(run.channel.energy.edge_s * power_w, 0.005 * true_j)
        missed += abs(run.energy_j - true_j) > claimed_j
    return missed


@pytest.mark.parametrize("duration_s", [0.03, 0.08, 0.15, 0.4, 1.0, 2.5])
@pytest.mark.parametrize("late_s", [0.001, 0.035])
def test_a_short_run_is_within_what_is_claimed_at_any_phase(duration_s: float, late_s: float) -> None:
    assert misses(lambda _: burst(duration_s), duration_s, late_s) <= 3


@pytest.mark.parametrize("duration_s", [0.08, 0.15, 0.4, 1.0, 2.5])
@pytest.mark.parametrize("late_s", [0.001, 0.035])
def test_beside_a_noisy_neighbour_most_short_runs_are(duration_s: float, late_s: float) -> None:
    """The neighbour may switch inside a cut step, which no instant can tell: the scale's error has to hold that."""
    assert misses(lambda seed: noisy(duration_s, random.Random(seed)), duration_s, late_s) <= 12
