"""From looks to rows: sums that hold, watts of the last seconds, resets, counters that begin anew."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.calibration.entry import Z_95
from aipower.model import SUMMED_KINDS, Device, PartError, Position, ProcessEnergy, ProcessId
from aipower.top.doubt import since, together
from aipower.top.look import Look
from aipower.top.picture import picture_of
from aipower.top.rows import Picture, ProcessRow
from aipower.top.track import STALE_S
from top.worlds import (
    CPU,
    DEVICES,
    DRAM,
    GPU0,
    GPU1,
    NODE,
    J,
    Used,
    World,
    all_sums,
    busy,
    look,
    of_kind,
    picture,
    watched,
)

GROWN = st.lists(st.integers(0, 10**10), min_size=4, max_size=4)


def of(found: Picture, pid: int) -> ProcessRow:
    return next(row for row in found.processes if row.pid == pid)


def account_w(found: Picture, name: str) -> float | None:
    return next(account.sums.power_w for account in found.accounts if account.name == name)


def grown(world: World, amounts: list[int], device: Device) -> World:
    """`world` after more has been used of `device`: by the first process, idle, nobody knows, other."""
    used = list(world.used)
    used[0] = replace(used[0], uj={**used[0].uj, device: used[0].uj.get(device, 0) + amounts[0]})
    idle, lost, other = (
        {**before, device: before.get(device, 0) + amount}
        for before, amount in zip((world.idle, world.lost, world.other), amounts[1:], strict=True)
    )
    return replace(world, used=used, idle=idle, lost=lost, other=other)


@given(GROWN, st.sampled_from(DEVICES), st.sampled_from([None, *(device.id for device in DEVICES)]), st.booleans())
def test_rows_sum_to_the_total(amounts: list[int], device: Device, scope: str | None, whole: bool) -> None:
    found = picture(busy(), grown(busy(), amounts, device), scope=scope, whole=whole)
    assert found.total is not None
    for kind in SUMMED_KINDS:
        assert of_kind(found, kind) == found.total.sums.kinds_uj.get(kind, 0)
    parts = [sums.energy_uj for sums in all_sums(found)]
    assert sum(parts) == found.total.sums.energy_uj
    assert all(part >= 0 for part in parts)
    for row in found.devices:
        assert row.idle_uj + row.processes_uj + row.other_uj + row.unattributed_uj == row.energy_uj


@given(GROWN, st.sampled_from(DEVICES))
def test_watts_sum_to_the_total(amounts: list[int], device: Device) -> None:
    found = picture(busy(), grown(busy(), amounts, device))
    assert found.total is not None
    if not sum(amounts):
        return
    parts = [sums.power_w or 0.0 for sums in all_sums(found)]
    assert sum(parts) == pytest.approx(sum(amounts) / 1e6, abs=1e-6)
    assert found.total.sums.power_w == pytest.approx(sum(amounts) / 1e6)


def test_watts_are_a_mean_of_three_seconds() -> None:
    levels = [0, 10, 30, 60, 100, 150]
    looks = [look(World([Used(1, {CPU: level * J})], devices=[CPU]), float(at)) for at, level in enumerate(levels)]
    found = picture_of(watched(*looks), None)
    assert of(found, 1).sums.power_w == pytest.approx((150 - 30) / 3)
    assert found.devices[0].mean_w == pytest.approx(150 / 5)


def test_a_counter_that_moves_rarely_is_divided_by_the_time_between_its_moves() -> None:
    """An agent closes the processors' windows every five seconds, and is asked every second."""
    looks = [
        look(World([Used(1, {CPU: at // 5 * 50 * J})], devices=[CPU]), float(at), exact=False) for at in range(18)
    ]
    watch = watched(*looks[:10])
    assert of(picture_of(watch, None), 1).sums.power_w is None, "one move tells no power"
    for one in looks[10:]:
        watch.add(one)
        assert of(picture_of(watch, None), 1).sums.power_w == pytest.approx(10.0)


def test_time_of_energy_is_the_sensors_own() -> None:
    def at(look_s: float, energy_s: float) -> Look:
        one = look(World([Used(1, {CPU: round(energy_s * 100 * J)})], devices=[CPU]), look_s)
        state = replace(one.snapshot.devices[0], position=Position(energy_s, 1))
        return replace(one, snapshot=replace(one.snapshot, devices=(state,)))

    found = picture_of(watched(at(1.17, 1.0), at(2.03, 2.0), at(3.4, 3.0)), None)
    assert of(found, 1).sums.power_w == pytest.approx(100.0)


def test_counters_that_stand_still_tell_no_power() -> None:
    moving = [look(World([Used(1, {CPU: at * J})], devices=[CPU]), float(at)) for at in range(3)]
    watch = watched(*moving)
    for second in range(3, int(STALE_S) + 5):
        watch.add(look(World([Used(1, {CPU: 2 * J})], devices=[CPU]), float(second)))
    found = picture_of(watch, None)
    assert of(found, 1).sums.power_w is None
    assert [device.id for device in found.without_watts] == [CPU.id]


def test_no_difference_reaches_over_a_gap() -> None:
    watch = watched(*(look(World([Used(1, {CPU: at * J})], devices=[CPU]), float(at)) for at in (0, 1, 100)))
    assert of(picture_of(watch, None), 1).sums.power_w is None
    watch.add(look(World([Used(1, {CPU: 107 * J})], devices=[CPU]), 101.0))
    assert of(picture_of(watch, None), 1).sums.power_w == pytest.approx(7.0)


def test_a_device_that_fails_draws_nobody_knows_what() -> None:
    found = picture(busy(), replace(busy(scale=2), down=[GPU0], faults={(GPU0.id, "gone"): 1}))
    row = found.devices[0]
    assert (row.up, row.power_w, row.faults) == (False, None, (("gone", 1),))
    assert "gpu" in found.measured_w
    assert found.measured_w["gpu"] == 70.0, "of the other GPU"


def test_reset_sets_joules_means_and_faults_to_0() -> None:
    watch = watched(look(busy(), 0.0), look(replace(busy(scale=2), faults={(CPU.id, "gap"): 2}), 1.0))
    assert picture_of(watch, None).devices[2].faults == (("gap", 2),)
    watch.reset()
    found = picture_of(watch, None)
    assert found.total is not None
    assert found.total.sums.energy_uj == 0
    assert not any(row.faults or row.mean_w for row in found.devices)
    assert {row.sums.energy_uj for row in found.processes} == {0}
    assert of(found, 1000).sums.power_w, "watts go on"


def test_whole_counts_from_the_counters_beginning() -> None:
    found = picture(busy(), busy(), whole=True)
    assert of(found, 1000).sums.energy_uj == (120 + 5 + 1) * J
    assert of(picture(busy(), busy()), 1000).sums.energy_uj == 0
    assert found.since_unix_s < picture(busy(), busy()).since_unix_s


def test_counters_that_begin_anew_never_show_less_than_0() -> None:
    watch = watched(look(busy(scale=9), 0.0), look(busy(scale=10), 1.0), look(replace(busy(), since_unix_s=5.0), 2.0))
    found = picture_of(watch, None)
    assert found.total is not None
    assert found.total.sums.energy_uj == sum(state.energy_uj for state in look(busy(), 0.0).snapshot.devices)
    assert all(row.sums.energy_uj >= 0 and row.sums.power_w is None for row in found.processes)
    assert "began anew" in found.note
    watch.add(look(replace(busy(scale=2), since_unix_s=5.0), 3.0))
    assert (of(picture_of(watch, None), 1000).sums.power_w or 0) > 0


def test_energy_of_a_process_that_left_goes_to_ended() -> None:
    before = World([Used(1, {CPU: 10 * J}), Used(2, {CPU: 5 * J})], devices=[CPU])
    after = World([Used(1, {CPU: 12 * J})], folded={CPU: 9 * J}, devices=[CPU])
    found = picture(before, after)
    assert [row.pid for row in found.processes] == [1]
    assert {a.name: a.sums.energy_uj for a in found.accounts}["ended"] == 4 * J
    assert account_w(found, "ended") == pytest.approx(4.0)


def test_a_series_that_came_back_at_0_counts_from_there() -> None:
    found = picture(
        World([Used(1, {CPU: 10 * J})], devices=[CPU]),
        World([Used(1, {CPU: 3 * J})], folded={CPU: 11 * J}, devices=[CPU]),
    )
    assert of(found, 1).sums.energy_uj == 3 * J
    assert of(found, 1).sums.power_w == pytest.approx(3.0)
    assert {a.name: a.sums.energy_uj for a in found.accounts}["ended"] == J


def test_shares_are_of_the_work() -> None:
    found = picture(World(), World([Used(1, {CPU: 30 * J}), Used(2, {GPU0: 10 * J})], idle={GPU0: 60 * J}))
    assert of(found, 1).share == pytest.approx(0.75)
    nothing = picture(World([Used(1, {CPU: J})]), World([Used(1, {CPU: J})]))
    assert of(nothing, 1).share is None, "there was no work to share"


def test_what_contains_others_is_in_no_total() -> None:
    world = World([Used(1, {CPU: J})], idle={NODE: 50 * J}, devices=[CPU, NODE], powers_w={CPU: 1.0, NODE: 50.0})
    found = picture(replace(world, used=[], idle={}), world)
    assert found.total is not None
    assert found.total.sums.energy_uj == J
    assert found.measured_w == {"cpu": 1.0}
    alone = picture(replace(world, used=[], idle={}), world, scope=NODE.id)
    assert alone.total is not None
    assert alone.total.sums.energy_uj == 50 * J


def test_nothing_measured_is_no_0() -> None:
    found = picture(World(devices=[]), World(devices=[]))
    assert found.total is None
    assert [missing.kind for missing in found.unavailable] == ["gpu", "cpu", "dram"]


def test_processes_never_seen_apart_are_marked() -> None:
    one = replace(look(busy(), 0.0), indistinct=frozenset({(ProcessId("boot", 1001, 1), GPU0.id)}))
    found = picture_of(watched(one), None)
    assert [row.pid for row in found.processes if row.together] == [1001]
    assert not any(row.together for row in picture_of(watched(one), CPU.id).processes)


def test_those_that_ended_before_have_no_rows() -> None:
    gone = World([Used(1, {CPU: J}, ended_s=1.0), Used(2, {CPU: J})], devices=[CPU])
    assert [row.pid for row in picture(gone, gone).processes] == [2]


def test_devices_come_by_kind_and_number() -> None:
    tenth = Device("GPU-k", "gpu", "", "10")
    found = picture(World(devices=[DRAM, tenth, CPU, GPU1, GPU0]))
    assert [row.device for row in found.devices] == [GPU0, GPU1, tenth, CPU, DRAM]


def part(energy_uj: float, variance_uj2: float, systematic_uj: float, *, told: bool) -> ProcessEnergy:
    """A counter whose gain is known to 5 %, and whose parts are told, or only their sum as by an agent."""
    half_uj = Z_95 * math.sqrt(variance_uj2 + systematic_uj**2 + (0.05 * energy_uj) ** 2)
    error = PartError(variance_uj2, systematic_uj) if told else PartError()
    return ProcessEnergy(None, "", CPU, 0, round(energy_uj), half_uj, None, error)


POSITIVE = st.floats(1e3, 1e9)


@given(POSITIVE, POSITIVE, POSITIVE, POSITIVE, POSITIVE, POSITIVE)
def test_half_width_since_a_reset_is_true_or_an_upper_bound(
    energy_uj: float, more_uj: float, own_uj: float, more_own_uj: float, shared_uj: float, more_shared_uj: float
) -> None:
    own_uj2, more_own_uj2 = own_uj**2, more_own_uj**2
    both = [
        (
            part(energy_uj, own_uj2, shared_uj, told=told),
            part(energy_uj + more_uj, own_uj2 + more_own_uj2, shared_uj + more_shared_uj, told=told),
        )
        for told in (True, False)
    ]
    true_uj = part(more_uj, more_own_uj2, more_shared_uj, told=True).error_uj
    (zero, now), (zero_told, now_told) = both
    assert since(now, zero) == pytest.approx(true_uj, rel=1e-3, abs=10)
    bound_uj = since(now_told, zero_told)
    assert bound_uj is None or true_uj <= bound_uj * (1 + 1e-6) + 10
    assert bound_uj is None or bound_uj <= more_uj + 1
    assert since(now, None) == now.error_uj


def test_half_widths_that_are_not_known() -> None:
    better, worse = part(9.0, 1.0, 1.0, told=False), part(8.0, 50.0, 9.0, told=False)
    assert since(better, worse) is None, "what an agent knows better now tells nothing of the difference"
    assert together([("gpu", 1.0), ("cpu", None)]) is None


def test_half_widths_of_one_kind_add_up_those_of_two_in_squares() -> None:
    assert together([("gpu", 3.0), ("gpu", 1.0), ("cpu", 3.0)]) == pytest.approx(5.0)
    assert together([]) == 0.0
