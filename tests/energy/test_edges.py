"""The ends of a run: where a step is cut, and what is claimed of it must hold the truth."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from aipower.energy.edges import Edges
from aipower.energy.levels import Level, Levels, best
from aipower.energy.split import Split
from aipower.model import EnergyDelta
from energy.simulator import SPAWN_S, Model, Truth, burst, noisy, simulated_run, square
from fakes import GPU

IDLE, BUSY = Level(60.0, 0.5), Level(400.0, 0.5)
STEP = EnergyDelta(GPU, 0.0, 0.1, 26_400_000)
"""60 W for 40 ms, then 400 W for 60 ms."""


@pytest.mark.parametrize(("before", "after"), [(IDLE, None), (None, BUSY), (IDLE, BUSY)])
def test_a_known_level_on_either_side_finds_both_sides(before: Level | None, after: Level | None) -> None:
    cut = Split(STEP, 0.04, before, after)
    assert cut.before_uj == pytest.approx(2_400_000, abs=1)
    assert cut.se_uj < 50_000


def test_without_a_level_it_is_cut_by_time_and_says_that_this_is_no_more_than_a_guess() -> None:
    cut = Split(STEP, 0.04)
    assert cut.before_uj == 10_560_000
    assert cut.se_uj > 6_000_000


def test_an_error_of_timing_is_charged_to_the_side_of_more_power() -> None:
    """The step began 2 ms later than thought: the idle side keeps its known power."""
    late = EnergyDelta(GPU, 0.0, 0.1, 26_400_000 - 680_000)
    assert Split(late, 0.04, IDLE, BUSY, 0.002).before_uj == pytest.approx(2_400_000, abs=60_000)


def test_levels_that_contradict_the_energy_make_the_cut_uncertain() -> None:
    sure, torn = Split(STEP, 0.04, IDLE, BUSY, 0.001), Split(STEP, 0.04, IDLE, Level(60.0, 0.5), 0.001)
    assert sure.se_uj < 100_000
    assert torn.se_uj > 8_000_000


def test_an_edge_close_to_a_publication_may_lie_beyond_it() -> None:
    """Half a millisecond after a publication known to 2 ms: the run's first millisecond may be in the step before."""
    delta = EnergyDelta(GPU, 0.0, 0.1, 39_830_000)
    assert Split(delta, 0.0005, IDLE, BUSY, 0.002).se_uj > 350_000
    assert Split(STEP, 0.04, IDLE, BUSY, 0.002).se_uj < 150_000


def levels(*powers_w: float) -> Levels:
    found = Levels(0.025, 0.1)
    for number, power_w in enumerate(powers_w):
        found.see(number / 10, number / 10 + 0.005, power_w)
    return found


def test_a_level_is_the_nearest_value_on_its_side_with_the_unrest_of_that_side() -> None:
    found = levels(60, 60.5, 60, 400, 100, 400)
    calm, restless = found.before(0.26), found.after(0.26)
    assert calm is not None
    assert restless is not None
    assert calm.power_w == 60
    assert calm.se_w < 1
    assert restless.power_w == 400
    assert restless.se_w > 250


def test_a_window_that_reaches_over_the_instant_belongs_to_neither_side() -> None:
    assert levels(60).after(0.0) is None
    found = levels(60, 400).after(0.09)
    assert found is None


def test_a_value_that_was_last_seen_long_ago_says_nothing() -> None:
    assert levels(60).before(5.0) is None


def test_sources_that_differ_by_more_than_chance_make_each_other_less_sure() -> None:
    together = best([Level(60.0, 0.5), Level(230.0, 5.0)])
    assert together is not None
    assert together.power_w == 60
    assert together.se_w == pytest.approx(170, rel=0.01)


def test_nothing_seen_leaves_no_error_to_claim() -> None:
    assert Edges(()).se_uj == 0.0


def misses(make: Callable[[int], Truth], duration_s: float, late_s: float) -> int:
    """Runs of 100 whose error is beyond the 95 % interval of the edges."""
    missed = 0
    for seed in range(100):
        truth = make(seed)
        run = simulated_run(truth, Model(), seed, duration_s, late_s=late_s)
        error_j = run.energy_j - truth.between_j(SPAWN_S, SPAWN_S + duration_s)
        missed += abs(error_j) > 1.96 * run.channel.energy.se_uj / 1e6
    return missed


@pytest.mark.parametrize("duration_s", [0.08, 0.15, 0.4, 1.0, 2.5])
@pytest.mark.parametrize("late_s", [0.001, 0.01])
def test_a_run_is_within_what_is_claimed_at_any_phase(duration_s: float, late_s: float) -> None:
    assert misses(lambda _: burst(duration_s), duration_s, late_s) <= 12


@pytest.mark.parametrize("duration_s", [0.4, 1.0, 2.5, 8.0])
def test_beside_a_noisy_neighbour_it_is_too(duration_s: float) -> None:
    assert misses(lambda seed: noisy(duration_s, random.Random(seed)), duration_s, 0.001) <= 15


@pytest.mark.parametrize("period_s", [0.025, 0.1, 0.3, 0.8])
def test_a_square_wave_is_within_what_is_claimed(period_s: float) -> None:
    assert misses(lambda seed: square(8.0, random.Random(seed), period_s), 8.0, 0.001) <= 15
