"""Windows on their way to the ledger: nothing is lost, nobody is charged twice, and errors belong to who shares."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aipower.attribution.apportion import Apportioner
from aipower.attribution.choose import apportioner_of
from aipower.model import UJ_PER_J, Attribution, Device, EnergyDelta, ProcessId, Usage
from attribution.worlds import (
    SOLO_AND_BOTH,
    Bill,
    Phase,
    World,
    alone,
    apportioner,
    bill_of,
    delta_of,
    name_of,
    pair_world,
    teach_idle,
)
from fakes import CPU, GPU, process

KEEP = 1000
BORN = st.tuples(st.integers(1, 5), st.integers(1, 3))
"""A pid and when it was born: pids are used again."""
WINDOWS = st.lists(
    st.tuples(
        st.integers(0, 10**10),
        st.dictionaries(BORN, st.floats(1e-6, 3), max_size=5),
        st.frozensets(BORN, max_size=3),
        st.sampled_from([0.0, 0.0, 0.4]),
        st.integers(0, 1),
        st.sampled_from(["sampled", "counted", "measured", "nothing known"]),
    ),
    max_size=25,
)
Windows = list[tuple[int, dict[tuple[int, int], float], frozenset[tuple[int, int]], float, int, str]]


def run_of_odd(who: ProcessId) -> str:
    return "run" if who.pid % 2 else ""


def fed(part: Apportioner, windows: Windows, device: Device) -> tuple[int, list[Attribution]]:
    """The energy that went in, and all that came out before the end."""
    found: list[Attribution] = []
    for number, (energy_uj, busy, held, unknown_s, unknown_holders, kind) in enumerate(windows):
        busy_s = {process(*born): seconds for born, seconds in busy.items()}
        activity = {who: (seconds, seconds / 2) for who, seconds in busy_s.items()} if kind == "measured" else {}
        usage = Usage(
            number,
            number + 1,
            busy_s,
            unknown_s,
            frozenset(process(*born) for born in held),
            unknown_holders,
            capacity_s=8.0 if device is CPU else None,
            samples=6.0 if kind == "sampled" else 0.0,
            activity=activity,
        )
        delta = EnergyDelta(device, number, number + 1, energy_uj)
        found += part.add(delta, None if kind == "nothing known" else usage)
    return sum(window[0] for window in windows), found


@settings(deadline=None)
@given(WINDOWS, st.sampled_from([GPU, CPU]), st.sampled_from([0, 3, KEEP]))
def test_every_window_comes_out_once_and_whole(windows: Windows, device: Device, keep: int) -> None:
    """That the parts of each are its whole to the microjoule, `Attribution` itself sees to."""
    part = apportioner_of(device, name_of, run_of_odd, keep)
    energy_uj, early = fed(part, windows, device)
    found = [*early, *part.settle()]
    assert sum(one.delta.energy_uj for one in found) == energy_uj
    assert sorted(one.delta.start_s for one in found) == list(range(len(windows)))
    assert part.settle() == []
    for one in found:
        assert min([0, *one.active_uj.values(), *one.context_uj.values()]) == 0
        assert set(one.errors) == {*one.active_uj, *one.context_uj}
    for error in [*(bill := bill_of(found)).errors.values(), *bill.run_errors.values()]:
        assert error.variance_uj2 >= 0
        assert error.systematic_uj >= -1e-3, "evidence takes doubts back, but no more than there were"


@settings(deadline=None)
@given(WINDOWS, st.sampled_from([GPU, CPU]))
def test_without_holding_back_each_window_is_posted_at_once(windows: Windows, device: Device) -> None:
    part = apportioner(device=device)
    _, found = fed(part, windows, device)
    assert [one.delta.start_s for one in found] == list(range(len(windows)))
    assert part.settle() == []


def test_only_what_is_too_much_is_posted_before_the_end() -> None:
    part = apportioner(keep=2)
    posted = [len(part.add(delta_of(100, k), Usage(k, k + 1, {process(1): 1.0}))) for k in range(5)]
    assert posted == [0, 0, 1, 1, 1]
    assert len(part.settle()) == 2


def fed_world(part: Apportioner, world: World, rng: random.Random, seconds: int) -> Bill:
    """The world's energy of work, window by window, as a driver's looks show it."""
    found = teach_idle(part, 60.0)
    for at_s in range(seconds):
        watts = 60.0 + sum(world.joules(at_s, at_s + 1).values())
        found += part.add(delta_of(watts, at_s), world.sampled(at_s, at_s + 1, rng))
    return bill_of([*found, *part.settle()])


@pytest.mark.parametrize("keep", [0, KEEP])
def test_a_run_of_all_workers_is_certain_and_each_of_them_is_not(keep: int) -> None:
    rng = random.Random(5)
    part = apportioner_of(GPU, name_of, lambda _: "run", keep)
    world = pair_world(rng, SOLO_AND_BOTH, 60.0)
    bill = fed_world(part, world, rng, 60)
    run_error = bill.run_errors["run"]
    whole_j = sum(world.joules(0, 60).values())
    assert (run_error.variance_uj2**0.5 + run_error.systematic_uj) / UJ_PER_J < 1e-4 * whole_j
    for who in world.watts:
        assert bill.half_95_j(who) > 0.005 * bill.joules(who)


def test_a_run_of_one_is_as_uncertain_as_its_process() -> None:
    rng = random.Random(6)
    part = apportioner_of(GPU, name_of, run_of_odd, KEEP)
    bill = fed_world(part, pair_world(rng, SOLO_AND_BOTH, 60.0), rng, 60)
    assert bill.run_errors == {"run": bill.errors[process(1)]}


def test_a_pair_that_is_never_apart_is_indistinct_and_its_bars_hold_the_truth() -> None:
    doubted = inside = 0
    for seed in range(40):
        rng = random.Random(seed)
        part = apportioner(KEEP)
        world = pair_world(rng, ([0, 1],), 60.0)
        bill = fed_world(part, world, rng, 60)
        doubted += part.indistinct(world.watts) == set(world.watts)
        assert part.indistinct([process(9)]) == frozenset()
        true_j = world.joules(0, 60)
        inside += sum(abs(bill.joules(who) - joules) <= bill.half_95_j(who) for who, joules in true_j.items())
    assert doubted >= 36
    assert inside >= 72


def test_processes_of_one_program_are_told_apart_by_their_time() -> None:
    part = apportioner_of(GPU, lambda _: "train", alone, KEEP)
    for k in range(20):
        part.add(delta_of(300, k), Usage(k, k + 1, {process(1): 0.75, process(2): 0.25}))
    bill = bill_of(part.settle())
    assert bill.joules(process(1)) == pytest.approx(3 * bill.joules(process(2)))
    assert part.indistinct([process(1)]) == frozenset()


def test_windows_in_which_a_phase_changes_do_not_spoil_the_intensities() -> None:
    """In one window of eight the looks say the one, the energy is the other's."""
    one, other = process(1), process(2)
    part = apportioner(KEEP)
    found = teach_idle(part, 60.0)
    for k in range(160):
        who, watts = ((one, 350.0), (other, 150.0))[k // 4 % 2]
        seen = (other if who == one else one) if k % 8 == 7 else who
        found += part.add(delta_of(60 + watts, k), Usage(k, k + 1, {seen: 1.0}))
    part.add(delta_of(60 + 250, 160), Usage(160, 161, {one: 0.5, other: 0.5}))
    *_, both = part.settle()
    assert both.active_uj[one] / both.active_uj[other] == pytest.approx(350 / 150, rel=0.05)


def test_work_of_the_unknown_is_nobodys() -> None:
    part = apportioner(KEEP)
    found = teach_idle(part, 60.0)
    for k in range(30):
        found += part.add(delta_of(260, k), Usage(k, k + 1, {process(1): 0.5}, 0.5))
    bill = bill_of([*found, *part.settle()])
    assert bill.unattributed_uj == pytest.approx(30 * 100e6, rel=0.1)


def test_work_of_the_unknown_is_nobodys_where_activity_is_measured() -> None:
    """Two equal slices of MIG; who works in the second cannot be told."""
    part = apportioner(KEEP)
    found = teach_idle(part, 60.0)
    for k in range(30):
        activity = {process(1): (0.4, 0.2, 0.2)}
        held = frozenset({process(1)})
        usage = Usage(k, k + 1, {process(1): 0.4}, 0.4, held, unknown_holders=1, activity=activity)
        found += part.add(delta_of(260, k), usage)
    bill = bill_of([*found, *part.settle()])
    assert bill.unattributed_uj > 0.25 * 30 * 200e6


def test_usage_that_is_missing_leaves_all_to_nobody() -> None:
    part = apportioner(KEEP)
    (found,) = part.add(delta_of(100), None)
    assert (found.unattributed_uj, found.active_uj, found.idle_uj) == (100_000_000, {}, 0)


def test_a_device_that_is_held_and_rests_charges_the_step_and_no_work() -> None:
    part = apportioner(KEEP)
    found = teach_idle(part, 60.0)
    resting = World({process(1): 300.0, process(2): 200.0}, [Phase(10, 20, [process(1)])])
    rng = random.Random(1)
    for k in range(20):
        watts = 100.0 + sum(resting.joules(k, k + 1).values())
        found += part.add(delta_of(watts, k), resting.sampled(k, k + 1, rng))
    bill = bill_of([*found, *part.settle()])
    assert bill.joules(process(1)) == pytest.approx(10 * 300 + 20 * 20, rel=0.02)
    assert bill.joules(process(2)) == pytest.approx(20 * 20, rel=0.05)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("keep", [0, KEEP])
def test_programs_that_come_and_go_do_not_make_the_meter_slow(keep: int) -> None:
    """A build runs hundreds of programs: a large one goes on, and each second another works for a moment."""
    part, large = apportioner(keep, CPU), process(1)
    found: list[Attribution] = []
    for k in range(200):
        busy_s = {large: 4.0 + k % 5, process(100 + k): 0.05}
        watts = 95 + 5 * sum(busy_s.values())
        found += part.add(delta_of(watts, k, CPU), Usage(k, k + 1, busy_s, capacity_s=32.0))
    bill = bill_of([*found, *part.settle()])
    assert bill.joules(large) == pytest.approx(5 * sum(4.0 + k % 5 for k in range(200)), rel=0.1)
