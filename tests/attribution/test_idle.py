"""How far the idle level may be trusted: a reading of a warm card is a bound, a level never seen is an interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.attribution.apportion import Apportioner
from aipower.attribution.baseline import CpuBaseline, GpuBaseline
from aipower.attribution.idle import LEAST_SE, IdleLevel
from aipower.model import Attribution, EnergyDelta, ProcessId, Usage
from attribution.worlds import bill_of, gpu_with
from fakes import CPU, GPU, process

LONE = process(1)
POWERS = st.floats(1, 1000)


def window(watts: float, span_s: float = 1.0) -> EnergyDelta:
    return EnergyDelta(GPU, 0.0, span_s, round(watts * span_s * 1e6))


def nobody() -> Usage:
    return Usage(0.0, 1.0)


def working(*pids: int) -> Usage:
    workers = [process(pid) for pid in pids]
    return Usage(0.0, 1.0, dict.fromkeys(workers, 1.0), holders=frozenset(workers))


def one_name(_: ProcessId) -> str:
    """All run the same program, so that nothing is uncertain but the idle level."""
    return "program"


def gpu_of(baseline: GpuBaseline) -> Apportioner:
    return gpu_with(baseline, one_name)


def seen(gpu: Apportioner, watts: float, usage: Usage) -> Attribution:
    """The window as the meter treats it: learned from, then split."""
    (attribution,) = gpu.add(window(watts), usage)
    return attribution


@pytest.mark.parametrize("keep", [0, 10])
def test_a_run_after_a_hot_job_is_not_called_idle(keep: int) -> None:
    """The card showed 112 W when it was looked at; it cools down to 60 W and works at 110 W in the third second."""
    baseline = GpuBaseline()
    baseline.seed(112.0)
    gpu = gpu_with(baseline, one_name, keep)
    powers_w = (112.0, 60.0, 110.0, 110.0, 110.0, 110.0)
    parts = [part for watts in powers_w for part in gpu.add(window(watts), working(1))]
    bill = bill_of([*parts, *gpu.settle()])
    true_j = 200 + 112 - 60
    assert bill.joules(LONE) <= true_j <= bill.joules(LONE) + bill.half_95_j(LONE)


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
    error = seen(gpu_of(baseline), 300.0, working(1)).errors[LONE]
    assert error.systematic_uj == pytest.approx(LEAST_SE * 50e6)


def test_a_level_of_three_bare_windows_is_taken_as_seen() -> None:
    baseline = GpuBaseline()
    baseline.seed(50.0)
    gpu = gpu_of(baseline)
    for _ in range(3):
        seen(gpu, 50.0, nobody())
    assert seen(gpu, 300.0, working(1)).errors[LONE].systematic_uj == 0.0


@given(st.lists(POWERS, min_size=1, max_size=20), POWERS)
def test_the_error_of_idle_reaches_no_farther_than_no_idle_at_all(used_w: list[float], seed_w: float) -> None:
    level = IdleLevel(600)
    level.seed(seed_w)
    for watts in used_w:
        level.cap(round(watts * 1e6), 1.0)
    assert level.value_w is not None
    assert level.value_w <= seed_w
    too_low = sum(level.value_w > watts / 0.89 for watts in used_w)
    assert too_low <= min(2, len(used_w) / 5), "few windows may be odd, for what was lost at their edges"
    assert LEAST_SE * level.value_w <= level.se_w <= level.value_w / 1.95


def test_the_error_of_idle_is_shared_as_the_rest_is() -> None:
    baseline = GpuBaseline()
    baseline.seed(50.0)
    whole_uj = LEAST_SE * 50e6
    both = seen(gpu_of(baseline), 300.0, working(1, 2)).errors
    assert [both[process(pid)].systematic_uj for pid in (1, 2)] == pytest.approx([whole_uj / 2] * 2)


def test_the_error_of_idle_is_also_that_of_those_who_only_hold_the_device() -> None:
    baseline = GpuBaseline()
    baseline.seed(50.0)
    gpu = gpu_of(baseline)
    parked = Usage(0.0, 1.0, holders=frozenset({process(1), process(2)}), unknown_holders=2)
    seen(gpu, 100.0, parked)
    part = seen(gpu, 100.0, parked)
    assert part.context_uj == {process(1): 12_500_000, process(2): 12_500_000}
    one_uj, other_uj = (part.errors[process(pid)].systematic_uj for pid in (1, 2))
    assert one_uj == other_uj >= LEAST_SE * 50e6 / 4


@given(st.lists(POWERS, min_size=1, max_size=10), st.floats(0, 1))
def test_without_a_level_the_interval_holds_all_that_idle_could_be(powers_w: list[float], idle_share: float) -> None:
    """Whatever share of the lowest window was idle, the lone holder's true part is inside."""
    gpu = gpu_of(GpuBaseline())
    idle_w = idle_share * min(powers_w)
    for watts in powers_w:
        part = seen(gpu, watts, working(1))
        own_uj, half_uj = part.active_uj[LONE], 1.96 * part.errors[LONE].systematic_uj
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
    gpu = gpu_of(GpuBaseline())
    for _ in range(3):
        assert seen(gpu, 60.0, nobody()).unattributed_uj == 0
    part = seen(gpu, 300.0, nobody())
    assert (part.idle_uj, part.unattributed_uj) == (60_000_000, 240_000_000)
    near = seen(gpu, 70.0, nobody())
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
