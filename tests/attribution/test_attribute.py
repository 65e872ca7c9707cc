"""Where a window's energy goes: exact sums whatever happened in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.attribution.attribute import without_usage
from aipower.attribution.baseline import Baseline, CpuBaseline, Floor, GpuBaseline, LowQuantile
from aipower.attribution.split import RESOLUTION, largest_remainder
from aipower.attribution.usage import merge
from aipower.model import EnergyDelta, ProcessId, Usage
from attribution.worlds import by_busy_time
from fakes import CPU, GPU, attributed, process

PROCESSES = st.integers(1, 12).map(process)
BUSY = st.dictionaries(PROCESSES, st.floats(1e-9, 1e6), max_size=8)
USAGES = st.builds(
    Usage,
    st.just(0.0),
    st.just(1.0),
    BUSY,
    st.one_of(st.just(0.0), st.floats(0, 100)),
    st.frozensets(PROCESSES, max_size=5),
    st.integers(0, 3),
    st.one_of(st.none(), st.floats(0.0, 64)),
    st.booleans(),
    st.floats(0, 100),
)
ENERGIES = st.integers(0, 2**62)
WEIGHTS = st.dictionaries(st.integers(0, 30), st.floats(0, 1e6), max_size=20)


@given(ENERGIES, WEIGHTS)
def test_a_split_is_exact_and_fair(total_uj: int, weights: dict[int, float]) -> None:
    whole = {key: max(1, round(weight * RESOLUTION)) for key, weight in weights.items() if weight > 0}
    if not whole:
        if total_uj:
            with pytest.raises(ValueError, match="nobody"):
                largest_remainder(total_uj, weights)
        else:
            assert largest_remainder(total_uj, weights) == {}
        return
    parts = largest_remainder(total_uj, weights)
    assert sum(parts.values()) == total_uj
    sum_weight = sum(whole.values())
    for key, part in parts.items():
        assert abs(part * sum_weight - total_uj * whole[key]) < sum_weight


def test_ties_go_to_the_earlier() -> None:
    assert largest_remainder(2, {"a": 1.0, "b": 1.0, "c": 1.0}) == {"a": 1, "b": 1, "c": 0}


@given(
    st.lists(st.tuples(ENERGIES, USAGES), min_size=1, max_size=12),
    st.sampled_from([GpuBaseline, CpuBaseline]),
)
def test_no_valid_window_is_refused(
    windows: list[tuple[int, Usage]], baseline_type: type[GpuBaseline | CpuBaseline]
) -> None:
    """`Attribution` itself refuses parts that do not sum, so to have it is the proof."""
    baseline: Baseline = baseline_type()
    for energy_uj, usage in windows:
        delta = EnergyDelta(GPU, 0.0, 1.0, energy_uj)
        baseline.observe(delta, usage)
        floor = baseline.floor(delta, usage)
        assert 0 <= floor.idle_uj + floor.context_uj <= energy_uj
        attribution = attributed(delta, usage, floor, by_busy_time(usage))
        assert set(attribution.context_uj) <= usage.holders
        assert set(attribution.active_uj) <= set(usage.busy_s) | usage.holders


def test_without_usage_nobody_is_charged() -> None:
    attribution = without_usage(EnergyDelta(GPU, 0.0, 1.0, 100), Floor(30, 20))
    assert (attribution.idle_uj, attribution.unattributed_uj) == (30, 70)


def test_work_of_unknown_processes_is_not_spread() -> None:
    usage = Usage(0.0, 1.0, {process(1): 0.25}, 0.75)
    attribution = attributed(EnergyDelta(GPU, 0.0, 1.0, 1000), usage, Floor(0), by_busy_time(usage))
    assert attribution.active_uj == {process(1): 250}
    assert attribution.unattributed_uj == 750


def test_the_step_of_a_context_is_shared_equally_with_unknown_holders() -> None:
    usage = Usage(0.0, 1.0, {process(1): 1.0}, holders=frozenset({process(1), process(2)}), unknown_holders=1)
    attribution = attributed(EnergyDelta(GPU, 0.0, 1.0, 300), usage, Floor(0, 90), by_busy_time(usage))
    assert attribution.context_uj == {process(1): 30, process(2): 30}
    assert attribution.unattributed_uj == 30


@pytest.mark.parametrize(("unknown_holders", "active"), [(0, {process(1): 1000}), (1, {})])
def test_work_that_nobody_was_seen_doing_is_the_lone_holders(
    unknown_holders: int, active: dict[ProcessId, int]
) -> None:
    usage = Usage(0.0, 1.0, holders=frozenset({process(1)}), unknown_holders=unknown_holders)
    attribution = attributed(EnergyDelta(GPU, 0.0, 1.0, 1000), usage, Floor(0), {})
    assert attribution.active_uj == active
    assert attribution.unattributed_uj == 1000 - sum(active.values())


def held(*pids: int, busy: dict[ProcessId, float] | None = None) -> Usage:
    return Usage(0.0, 1.0, busy or {}, holders=frozenset(process(pid) for pid in pids))


def window(watts: float) -> EnergyDelta:
    return EnergyDelta(GPU, 0.0, 1.0, round(watts * 1e6))


def test_a_gpu_learns_idle_and_the_step_of_a_context() -> None:
    baseline = GpuBaseline()
    for usage, watts in ((held(), 60.0), (held(), 60.0), (held(1), 80.0), (held(1), 100.0), (held(1), 100.0)):
        baseline.observe(window(watts), usage)
    floor = baseline.floor(window(400), held(1, busy={process(1): 1.0}))
    assert (floor.idle_uj, floor.context_uj) == (60_000_000, 40_000_000)


def test_all_is_idle_where_nobody_holds_or_works() -> None:
    assert GpuBaseline().floor(window(70), held()) == Floor(70_000_000)


def test_a_seeded_idle_level_is_used_at_once() -> None:
    baseline = GpuBaseline()
    baseline.seed(50.0)
    assert baseline.floor(window(300), held(1)).idle_uj == 50_000_000


def test_a_lone_small_process_is_not_charged_with_the_socket() -> None:
    usage = Usage(0.0, 1.0, {process(1): 0.5}, capacity_s=10.0)
    baseline = CpuBaseline()
    busy = Usage(0.0, 1.0, {process(1): 5.0}, capacity_s=10.0)
    assert baseline.floor(EnergyDelta(CPU, 0.0, 1.0, 100), busy).idle_uj == 50
    baseline.observe(EnergyDelta(CPU, 0.0, 1.0, 40), usage)
    assert baseline.floor(EnergyDelta(CPU, 0.0, 1.0, 100), busy) == Floor(40)


def test_the_low_quantile_is_not_the_minimum() -> None:
    quantile = LowQuantile()
    assert quantile.value_w is None
    for value_w in (5.0, *(50.0 + number for number in range(20))):
        quantile.add(value_w)
    assert quantile.value_w == 51.0


@given(st.lists(USAGES, min_size=1, max_size=6))
def test_merged_usage_keeps_all_work(usages: list[Usage]) -> None:
    merged = merge(usages)
    everyone = {worker for usage in usages for worker in usage.busy_s}
    assert set(merged.busy_s) == everyone
    for worker in everyone:
        assert merged.busy_s[worker] == pytest.approx(sum(usage.busy_s.get(worker, 0) for usage in usages))
    assert merged.unknown_busy_s == pytest.approx(sum(usage.unknown_busy_s for usage in usages))
    assert (merged.holders, merged.unknown_holders) == (usages[-1].holders, usages[-1].unknown_holders)
    assert merged.sampled == all(usage.sampled for usage in usages)
    assert merged.samples == pytest.approx(sum(usage.samples for usage in usages))
    assert (merged.capacity_s is None) == any(usage.capacity_s is None for usage in usages)


def test_merging_spans_from_the_first_to_the_last() -> None:
    merged = merge([Usage(1.0, 2.0, capacity_s=4.0), Usage(2.0, 3.5, capacity_s=6.0)])
    assert (merged.start_s, merged.end_s, merged.capacity_s) == (1.0, 3.5, 10.0)
    with pytest.raises(ValueError, match="no usage"):
        merge([])
