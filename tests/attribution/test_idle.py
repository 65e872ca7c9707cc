"""How far the idle level may be trusted: a reading of a warm card is a bound, a level never seen is an interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.attribution.active import BusyTime
from aipower.attribution.attribute import attribute
from aipower.attribution.baseline import Baseline, CpuBaseline, Floor, GpuBaseline
from aipower.attribution.idle import IdleLevel
from aipower.model import Attribution, EnergyDelta, Usage
from fakes import CPU, GPU, process

LONE = process(1)
MODEL = BusyTime(0.3)
POWERS = st.floats(1, 1000)


def window(watts: float, span_s: float = 1.0) -> EnergyDelta:
    return EnergyDelta(GPU, 0.0, span_s, round(watts * span_s * 1e6))


def nobody() -> Usage:
    return Usage(0.0, 1.0)


def working(*pids: int) -> Usage:
    workers = [process(pid) for pid in pids]
    return Usage(0.0, 1.0, dict.fromkeys(workers, 1.0), holders=frozenset(workers))


def seen(baseline: Baseline, watts: float, usage: Usage) -> Attribution:
    """The window as the meter treats it: learned from, then split."""
    delta = window(watts)
    baseline.observe(delta, usage)
    return attribute(delta, usage, baseline.floor(delta, usage), MODEL)


def test_a_run_after_a_hot_job_is_not_called_idle() -> None:
    """The card showed 112 W when it was looked at; it cools down to 60 W and works at 110 W in the third second."""
    baseline = GpuBaseline()
    baseline.seed(112.0)
    parts = [seen(baseline, watts, working(1)) for watts in (112.0, 60.0, 110.0, 110.0, 110.0, 110.0)]
    own_j = sum(part.active_uj[LONE] for part in parts) / 1e6
    systematic_j = sum(part.systematic_uj[LONE] for part in parts) / 1e6
    assert own_j == pytest.approx(4 * (110 - 60 / 0.9))
    true_j = 200 + 112 - 60
    assert own_j - 1.96 * systematic_j <= true_j <= own_j + 1.96 * systematic_j


def test_a_used_window_is_never_below_idle() -> None:
    level = IdleLevel(600)
    level.seed(400.0)
    level.cap(70_000_000, 1.1)
    level.cap(300_000_000, 1.1)
    assert level.value_w == pytest.approx(70.0)
    level.add(65.0)
    assert level.value_w == 65.0


def test_a_level_of_few_windows_is_uncertain_even_for_a_lone_worker() -> None:
    baseline = GpuBaseline()
    baseline.seed(50.0)
    assert seen(baseline, 300.0, working(1)).systematic_uj[LONE] == pytest.approx(0.05 * 50e6)


def test_a_level_of_three_bare_windows_is_taken_as_seen() -> None:
    baseline = GpuBaseline()
    baseline.seed(50.0)
    for _ in range(3):
        seen(baseline, 50.0, nobody())
    assert seen(baseline, 300.0, working(1)).systematic_uj[LONE] == 0.0


@given(st.lists(POWERS, min_size=1, max_size=5), POWERS)
def test_the_error_of_idle_reaches_no_farther_than_no_idle_at_all(used_w: list[float], seed_w: float) -> None:
    level = IdleLevel(600)
    level.seed(seed_w)
    for watts in used_w:
        level.cap(round(watts * 1e6), 1.0)
    assert level.value_w is not None
    assert level.value_w <= min(seed_w, *(watts / 0.89 for watts in used_w))
    assert 0.05 * level.value_w <= level.se_w <= level.value_w / 1.95


def test_the_error_of_idle_is_shared_as_the_rest_is() -> None:
    floor = Floor(100, idle_se_uj=40.0)
    both = attribute(window(300), working(1, 2), floor, BusyTime(0.0))
    assert both.systematic_uj == {process(1): 20.0, process(2): 20.0}
    parked = Usage(0.0, 1.0, holders=frozenset({process(1), process(2)}), unknown_holders=2)
    assert attribute(window(300), parked, floor, MODEL).systematic_uj == {process(1): 10.0, process(2): 10.0}


@given(st.lists(POWERS, min_size=1, max_size=10), st.floats(0, 1))
def test_without_a_level_the_interval_holds_all_that_idle_could_be(powers_w: list[float], idle_share: float) -> None:
    """Whatever share of the lowest window was idle, the lone holder's true part is inside."""
    baseline = GpuBaseline()
    idle_w = idle_share * min(powers_w)
    for watts in powers_w:
        part = seen(baseline, watts, working(1))
        own_uj, half_uj = part.active_uj[LONE], 1.96 * part.systematic_uj[LONE]
        assert own_uj - half_uj <= (watts - idle_w) * 1e6 + 1
        assert own_uj == part.delta.energy_uj


def test_a_processor_without_a_level_is_uncertain_by_its_lowest_window() -> None:
    baseline = CpuBaseline()
    usage = Usage(0.0, 1.0, {LONE: 5.0}, capacity_s=10.0)
    for watts in (60.0, 100.0):
        delta = EnergyDelta(CPU, 0.0, 1.0, round(watts * 1e6))
        baseline.observe(delta, usage)
        floor = baseline.floor(delta, usage)
    assert (floor.idle_uj, floor.known) == (50_000_000, False)
    assert floor.idle_se_uj == pytest.approx((60e6 / 0.9 - 50e6) / 1.96)


def test_power_that_nobody_seems_to_use_is_unattributed_and_not_idle() -> None:
    """A job shorter than a poll: no holder was seen, but the card drew 300 W."""
    baseline = GpuBaseline()
    for _ in range(3):
        assert seen(baseline, 60.0, nobody()).unattributed_uj == 0
    part = seen(baseline, 300.0, nobody())
    assert (part.idle_uj, part.unattributed_uj) == (60_000_000, 240_000_000)
    near = seen(baseline, 70.0, nobody())
    assert (near.idle_uj, near.unattributed_uj) == (70_000_000, 0)


def test_a_sliver_of_a_window_teaches_nothing() -> None:
    baseline = GpuBaseline()
    baseline.seed(60.0)
    baseline.observe(window(1.0, 0.01), working(1))
    assert baseline.floor(window(300), working(1)).idle_uj == 60_000_000


def test_an_update_from_beyond_the_edge_of_a_short_window_is_no_unseen_work() -> None:
    baseline = GpuBaseline()
    baseline.seed(70.0)
    for span_s in (0.01, 0.05, 0.2, 1.0):
        delta = EnergyDelta(GPU, 0.0, span_s, round(70 * (span_s + 0.1) * 1e6))
        assert baseline.floor(delta, nobody()).idle_uj == delta.energy_uj
