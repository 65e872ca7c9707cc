"""The power beside an instant, and how far a short piece of it may be off."""

from __future__ import annotations

import math

import pytest

from aipower.energy.levels import LEAST_SE_W, Level, Levels, best
from aipower.energy.split import Split
from aipower.model import EnergyDelta
from fakes import GPU


def levels(powers_w: list[float], window_s: float = 0.025) -> Levels:
    """One value each 100 ms from 0 s on, known to 5 ms."""
    found = Levels(window_s, 0.1)
    for number, power_w in enumerate(powers_w):
        found.see(number / 10 - 0.005, number / 10, power_w)
    return found


def test_the_nearest_value_on_each_side() -> None:
    source = levels([60.0, 60.5, 400.0, 401.0])
    before, after = source.before(0.15), source.after(0.15)
    assert before is not None
    assert after is not None
    assert (before.power_w, after.power_w) == (60.5, 400.0)
    assert before.se_w < 1
    assert after.span_s == 0.025


def test_a_value_whose_window_reaches_over_the_instant_is_of_neither_side() -> None:
    source = levels([60.0, 300.0, 400.0])
    after = source.after(0.08)
    assert after is not None
    assert after.power_w == 400.0


def test_an_old_value_says_nothing() -> None:
    assert levels([60.0, 61.0]).before(5.0) is None


def test_neighbours_that_differ_make_a_level_less_sure() -> None:
    calm, restless = levels([300.0, 300.1, 300.2]).before(0.25), levels([300.0, 100.0, 300.0]).before(0.25)
    assert calm is not None
    assert restless is not None
    assert calm.se_w < 3 * LEAST_SE_W
    assert restless.se_w == pytest.approx(200, rel=0.01)


def test_the_finer_source_tells_how_the_better_known_level_flickers() -> None:
    steps, readings = Level(230.0, 5.0, 0.1), Level(400.0, 340.0, 0.025)
    found = best([readings, steps])
    assert found is not None
    assert (found.power_w, found.span_s) == (230.0, 0.1)
    assert found.flicker_w == pytest.approx(340 / math.sqrt(2))
    assert found.flicker_s == 0.025


def test_a_source_that_is_coarser_tells_nothing_of_flicker() -> None:
    found = best([Level(400.0, 1.0, 0.025), Level(230.0, 90.0, 0.1)])
    assert found is not None
    assert found.flicker_w == 0


def test_a_short_piece_of_a_flickering_level_is_off_by_all_of_it_and_a_long_one_by_its_root() -> None:
    step = EnergyDelta(GPU, 0.0, 0.1, 23_000_000)
    level = Level(230.0, 0.0, 0.1, 100.0, 0.02)
    assert Split(step, 0.01, level).se_uj == pytest.approx(100 * 0.01 * 1e6)
    assert Split(step, 0.08, level).se_uj == pytest.approx(100 * math.sqrt(0.08 * 0.02) * 1e6)


def test_energy_that_a_part_time_counter_missed_is_given_by_the_level() -> None:
    """The work ended 60 ms into a step, and the sample at its end saw 50 W: the step tells 5 J of 18."""
    step = EnergyDelta(GPU, 0.0, 0.1, 5_000_000)
    found = Split(step, 0.06, Level(300.0, 1.0), Level(50.0, 1.0), 0.0, 0.075)
    assert found.before_uj == pytest.approx(18e6, rel=0.05)
    assert Split(step, 0.06, Level(300.0, 1.0), Level(50.0, 1.0)).before_uj <= step.energy_uj


def test_an_error_is_judged_by_the_weights_that_were_used() -> None:
    """By what was known first the level before decided alone; that it is worse than believed must show."""
    step = EnergyDelta(GPU, 0.0, 0.1, 20_000_000)
    first = Split(step, 0.05, Level(60.0, 1.0), Level(340.0, 100.0)).settled()
    assert first.settled_weight is not None
    assert first.settled_weight > 0.99
    later = Split(step, 0.05, Level(60.0, 100.0), Level(340.0, 1.0), settled_weight=first.settled_weight)
    assert later.se_uj == pytest.approx(100 * 0.05 * 1e6, rel=0.02)
