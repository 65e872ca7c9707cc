"""After a restart energy goes on where the counter stands, and is never invented."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.books.ledger import Ledger
from aipower.books.resume import MOST_UNSEEN, SUSPENDED_S, bridge, positions, revived
from aipower.meter import Meter
from aipower.model import (
    Calibration,
    Device,
    DeviceFacts,
    DeviceState,
    Position,
    ProcessEnergy,
    ProcessInfo,
    Reading,
    RunEnergy,
    Snapshot,
    UserEnergy,
)
from aipower.seams import SensorSet, SensorTraits
from fakes import CPU, GPU, FakeClock, FakeDirectory, ScriptedSensor, process

RAPL = SensorTraits(0.001, counter_modulus_uj=262_143_000_000, max_power_w=1000.0)
PLAIN = SensorTraits()
AS_READ = Calibration()
J = 1_000_000


def bridged(
    counter_uj: int | None, now_uj: int | None, span_s: float = 10.0, traits: SensorTraits = PLAIN, pending_uj: int = 0
) -> tuple[int, str]:
    """The energy that is posted, and the fault's word."""
    position = Position(100.0, counter_uj, pending_uj)
    found = bridge(GPU, traits, AS_READ, position, Reading(100.0 + span_s, now_uj))
    return found.delta.energy_uj if found.delta else 0, found.fault.reason


@pytest.mark.parametrize(
    ("then_uj", "now_uj", "span_s", "traits", "expected"),
    [
        (1000 * J, 1500 * J, 10.0, PLAIN, (500 * J, "unwatched")),
        (1000 * J, 999 * J, 10.0, PLAIN, (0, "gap")),
        (1000 * J, 101_000 * J, 10.0, PLAIN, (0, "gap")),
        (1000 * J, 1000 * J, 10.0, PLAIN, (0, "gap")),
        (1000 * J, 1000 * J, 0.5, PLAIN, (0, "unwatched")),
        (1000 * J, 1500 * J, 0.0, PLAIN, (0, "gap")),
        (1000 * J, 1500 * J, -5.0, PLAIN, (0, "gap")),
        (None, 1500 * J, 10.0, PLAIN, (0, "gap")),
        (1000 * J, None, 10.0, PLAIN, (0, "gap")),
        (262_000 * J, 857 * J, 10.0, RAPL, (1000 * J, "unwatched")),
        (1000 * J, 1500 * J, 250.0, RAPL, (500 * J, "unwatched")),
        (1000 * J, 1500 * J, 263.0, RAPL, (0, "gap")),
        (1000 * J, 900 * J, 10.0, RAPL, (0, "gap")),
    ],
    ids=["rise", "reset", "impossible", "still", "still for a moment", "no time", "backwards", "none then", "none now",
         "wrap", "long", "may have wrapped twice", "reset of a counter that wraps"],
)  # fmt: skip
def test_what_the_counter_tells_of_the_time_between(
    then_uj: int | None, now_uj: int | None, span_s: float, traits: SensorTraits, expected: tuple[int, str]
) -> None:
    assert bridged(then_uj, now_uj, span_s, traits) == expected
    energy_uj, reason = expected
    assert bridged(then_uj, now_uj, span_s, traits, pending_uj=7) == (energy_uj + 7, reason)


@given(
    st.none() | st.integers(0, 2**40),
    st.none() | st.integers(0, 2**40),
    st.floats(-1e3, 1e6),
    st.sampled_from([PLAIN, RAPL]),
    st.integers(0, 10**9),
)
def test_energy_is_never_negative_lost_or_more_than_the_device_can_use(
    then_uj: int | None, now_uj: int | None, span_s: float, traits: SensorTraits, pending_uj: int
) -> None:
    energy_uj, reason = bridged(then_uj, now_uj, span_s, traits, pending_uj)
    most_uj = traits.max_power_w * (max(span_s, 0.0) + traits.update_period_s) * 1e6
    assert pending_uj <= energy_uj <= pending_uj + most_uj + 1
    assert reason == "unwatched" or energy_uj == pending_uj


def test_it_is_calibrated_and_told() -> None:
    found = bridge(GPU, PLAIN, Calibration(0.9, 5.0), Position(100.0, 0, 3), Reading(110.0, 1000 * J))
    assert found.delta is not None
    assert (found.delta.energy_uj, found.delta.start_s, found.delta.end_s) == (950 * J + 3, 100.0, 110.0)
    assert "10.0 s" in found.fault.detail
    assert "950.0 J" in found.fault.detail


def test_positions_of_another_boot_tell_only_what_was_pending() -> None:
    state = states(DeviceState(GPU, DeviceFacts(), True, 1.0, 0, 0, 0, 0, 0, Position(5.0, 7, 9)))
    assert positions(None, "boot", 0.0) == {}
    assert positions(state, "boot", 0.0) == {GPU.id: Position(5.0, 7, 9)}
    pending = {GPU.id: Position(0.0, None, 9)}
    assert positions(state, "another", 0.0) == positions(replace(state, boot=""), "", 0.0) == pending


@pytest.mark.parametrize(("slept_s", "believed"), [(0.0, True), (SUSPENDED_S, True), (0.6, False), (3600.0, False)])
def test_no_counter_is_believed_over_a_sleep_while_there_was_no_agent(slept_s: float, believed: bool) -> None:
    """S3 sets RAPL back to 0, which is a wrap as far as its values tell."""
    rapl = DeviceState(CPU, DeviceFacts(), True, 1.0, 0, 0, 0, 0, 0, Position(5.0, 262_000 * J, 9))
    left_at = positions(states(rapl, asleep_s=40.0), "boot", 40.0 + slept_s)[CPU.id]
    found = bridge(CPU, RAPL, AS_READ, left_at, Reading(15.0, 857 * J))
    assert found.delta is not None
    assert found.delta.energy_uj == (1000 * J + 9 if believed else 9)
    assert found.fault.reason == ("unwatched" if believed else "gap")


def test_a_device_that_comes_after_a_sleep_is_not_bridged_over_it() -> None:
    clock = FakeClock(10.0)
    left_at = {CPU.id: Position(5.0, 262_000 * J, 9)}
    ledger = Ledger(FakeDirectory())
    meter = Meter(SensorSet(), ledger, clock, positions=left_at)
    meter.resume_after_sleep(10.0, 3600.0)
    assert meter.positions()[CPU.id] == Position(5.0, None, 9)
    meter.adopt(SensorSet([ScriptedSensor(clock, lambda _: (857 * J, None), CPU, RAPL)]))
    meter.sample()
    assert ledger.totals(CPU.id).energy_uj == 9


def metered(clock: FakeClock, state: Snapshot | None, step_uj: int = 10 * J) -> tuple[Meter, Ledger, ScriptedSensor]:
    """The next agent, before its first reading; the counter moves each 0.1 s."""
    sensor = ScriptedSensor(clock, lambda at_s: (int(at_s * 10) * step_uj, None))
    ledger = Ledger(FakeDirectory(), boot="boot")
    if state is not None:
        ledger.restore(revived(state, clock.now_s, "boot", "", FakeDirectory()))
    return Meter(SensorSet([sensor]), ledger, clock, positions=positions(state, "boot", 0.0)), ledger, sensor


@pytest.mark.parametrize("ticks", [0, 1, 2, 3, 5, 30])
@pytest.mark.parametrize("attributes", [True, False])
def test_over_any_number_of_restarts_the_counter_is_the_account(ticks: int, attributes: bool) -> None:
    """Also where the agent dies while its first steps are held back, or before energy is posted."""
    clock, state = FakeClock(1.0), None
    first_uj = 100 * J
    for _ in range(4):
        meter, ledger, _ = metered(clock, state)
        meter.sample()
        for _ in range(ticks):
            clock.sleep(0.07)
            meter.sample()
        if attributes:
            meter.attribute()
        state = ledger.draft(0.0, "", {}, positions=meter.positions()).snapshot()
        (device,) = state.devices
        at = device.position
        assert at is not None
        assert at.counter_uj is not None
        assert device.energy_uj + at.pending_uj == at.counter_uj - first_uj
        assert (at.pending_uj == 0) or not attributes
        clock.sleep(3.3)
    assert state is not None
    assert state.fault_counts[GPU.id, "unwatched"] == 3
    assert state.devices[0].unattributed_uj == state.devices[0].energy_uj >= 2 * 3 * 100 * J


def test_a_device_that_is_not_there_at_first_goes_on_when_it_comes() -> None:
    clock = FakeClock(1.0)
    meter, ledger, _ = metered(clock, None)
    meter.sample()
    state = ledger.draft(0.0, "", {}, positions=meter.positions()).snapshot()
    clock.sleep(2.0)
    ledger = Ledger(FakeDirectory(), boot="boot")
    ledger.restore(revived(state, clock.now_s, "boot", "", FakeDirectory()))
    meter = Meter(SensorSet(), ledger, clock, positions=positions(state, "boot", 0.0))
    meter.sample()
    assert meter.positions()[GPU.id] == Position(1.0, 100 * J)
    clock.sleep(2.0)
    meter.adopt(SensorSet([ScriptedSensor(clock, lambda at_s: (int(at_s * 10) * 10 * J, None))]))
    for _ in range(2):
        meter.sample()
        assert ledger.totals(GPU.id).unattributed_uj == ledger.totals(GPU.id).energy_uj == 400 * J


def test_after_a_counter_reset_the_position_is_beyond_it() -> None:
    clock, offset = FakeClock(1.0), {"uj": 0}
    sensor = ScriptedSensor(clock, lambda at_s: (int(at_s * 10) * 10 * J + offset["uj"], None))
    meter = Meter(SensorSet([sensor]), Ledger(FakeDirectory()), clock)
    for number in range(20):
        clock.sleep(0.1)
        offset["uj"] = 0 if number < 10 else -210 * J
        meter.sample()
    meter.attribute()
    at = meter.positions()[GPU.id]
    assert at.counter_uj == int(clock.now_s * 10) * 10 * J - 210 * J
    clock.sleep(0.1)
    offset["uj"] = -3000 * J
    meter.sample()
    assert meter.positions()[GPU.id].counter_uj == int(clock.now_s * 10) * 10 * J - 3000 * J


def test_energy_that_is_integrated_has_no_counter() -> None:
    clock = FakeClock(1.0)
    meter = Meter(SensorSet([ScriptedSensor(clock, lambda _: (5, 100.0))]), Ledger(FakeDirectory()), clock)
    assert meter.positions() == {}
    for _ in range(100):
        clock.sleep(0.1)
        meter.sample()
    assert meter.positions()[GPU.id].counter_uj is None


def states(*devices: DeviceState, **fields: object) -> Snapshot:
    return replace(Snapshot(1e9, "1", devices, boot="boot", naming="name"), **fields)


def seen(device: Device, unix_s: float) -> DeviceState:
    return DeviceState(device, DeviceFacts(), True, 1.0, 9, 9, 0, 0, 0, None, unix_s)


def numbered(number: int) -> Device:
    return replace(GPU, id=f"away-{number}")


def test_a_device_that_was_away_for_years_keeps_its_counters() -> None:
    """Also where it only looks so, as the machine has come up with a wrong date."""
    state = states(seen(GPU, 0.0), seen(CPU, 1e9 - 1e8), *(seen(numbered(n), 2e9) for n in range(9)))
    assert revived(state, 50.0, "boot", "name", FakeDirectory()).devices == state.devices


def test_of_very_many_devices_that_are_away_those_longest_away_are_forgotten_with_all_that_used_them() -> None:
    info = ProcessInfo(process(1), "p", "ada")
    rows = {
        "processes": tuple(ProcessEnergy(info, "", device, 0, 1, 0.0) for device in (GPU, CPU)),
        "users": tuple(UserEnergy("ada", device, 1) for device in (GPU, CPU)),
        "runs": tuple(RunEnergy("r", "", "", device, 1) for device in (GPU, CPU)),
        "fault_counts": {(GPU.id, "gap"): 1, (CPU.id, "gap"): 2, ("", "late"): 3},
    }
    away = [seen(numbered(number), 1e9 - 10 - number) for number in range(MOST_UNSEEN)]
    state = states(seen(GPU, 1e9 - 100_000), seen(CPU, 1e9), *away, **rows)
    now = revived(state, 50.0, "boot", "name", FakeDirectory())
    assert [row.device for row in now.devices] == [CPU, *(row.device for row in away)]
    assert [row.device for row in now.processes] == [CPU]
    assert [row.device for row in now.users] == [row.device for row in now.runs] == [CPU]
    assert now.fault_counts == {(CPU.id, "gap"): 2, ("", "late"): 3}


@pytest.mark.parametrize(
    ("boot", "dead", "ended_s", "expected"),
    [
        ("boot", False, None, None),
        ("boot", True, None, 50.0),
        ("boot", True, 20.0, 20.0),
        ("boot", True, 70.0, 50.0),
        ("another", True, None, 50.0),
        ("another", True, 20.0, 50.0),
    ],
)
def test_who_is_gone_has_ended(boot: str, dead: bool, ended_s: float | None, expected: float | None) -> None:
    directory = FakeDirectory(dead={process(1)} if dead else set())
    row = ProcessEnergy(ProcessInfo(process(1), "p", "ada"), "", GPU, 0, 1, 0.0, ended_s)
    run = RunEnergy("r", "name", "ada", GPU, 1, ended_s)
    now = revived(states(seen(GPU, 1e9), processes=(row,), runs=(run,)), 50.0, boot, "name", directory)
    assert now.processes[0].ended_s == expected
    assert now.runs[0].ended_s == (50.0 if expected is None else expected)


def test_names_of_another_kind_are_forgotten() -> None:
    """Who has told the agent to show numbers must not find names in what it counted before."""
    rows = tuple(ProcessEnergy(ProcessInfo(process(pid), "p", "ada"), "", GPU, 0, 1, 0.0) for pid in (1, 2))
    other = ProcessEnergy(None, "", GPU, 0, 1, 0.0)
    state = states(
        seen(GPU, 1e9),
        processes=(*rows, other),
        runs=(RunEnergy("r", "resnet", "ada", GPU, 1),),
        users=(UserEnergy("ada", GPU, 1),),
    )
    directory = FakeDirectory({1: process(1)}, {process(2)})
    now = revived(state, 50.0, "boot", "uid", directory)
    assert [row.info.user for row in now.processes if row.info] == ["user", ""]
    assert now.runs[0].user == now.users[0].user == ""
    assert revived(state, 50.0, "boot", "name", directory).users == state.users
