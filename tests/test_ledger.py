"""The accounts: exact, only upwards, through folding, retirement and reuse of pids."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.attribution.baseline import Floor
from aipower.books.accounts import PartAccount
from aipower.books.ledger import FAULT_REASONS, Ledger
from aipower.books.userbook import MOST_USERS
from aipower.calibration.default import GAIN_95
from aipower.calibration.entry import Z_95
from aipower.model import (
    Attribution,
    Calibration,
    DeviceFacts,
    DeviceState,
    EnergyDelta,
    Fault,
    FoldedEnergy,
    JobEnergy,
    Owner,
    PartError,
    ProcessEnergy,
    ProcessId,
    ProcessInfo,
    RunEnergy,
    Snapshot,
    Usage,
    UserEnergy,
)
from fakes import CPU, GPU, FakeDirectory, attributed, process

EVENTS = st.lists(
    st.tuples(
        st.sampled_from([GPU, CPU]),
        st.integers(0, 10**9),
        st.dictionaries(st.tuples(st.integers(1, 8), st.integers(1, 3)), st.floats(0.001, 4), max_size=6),
        st.sets(st.integers(1, 8), max_size=2),
    ),
    max_size=25,
)


def post(ledger: Ledger, energy_uj: int, busy: dict[ProcessId, float], device: str = "gpu") -> Attribution:
    delta = EnergyDelta(GPU if device == "gpu" else CPU, 0.0, 1.0, energy_uj)
    attribution = attributed(delta, Usage(0.0, 1.0, busy, samples=6), Floor(energy_uj // 7), dict(busy.items()))
    ledger.post(attribution, lambda process: "run" if process.pid % 2 else "")
    return attribution


def sums_of(snapshot: Snapshot) -> dict[str, int]:
    sums: dict[str, int] = {}
    rows: list[ProcessEnergy | FoldedEnergy] = [*snapshot.processes, *snapshot.folded]
    for row in rows:
        sums[row.device.id] = sums.get(row.device.id, 0) + row.context_uj + row.active_uj
    return sums


def check(snapshot: Snapshot) -> None:
    sums = sums_of(snapshot)
    for state in snapshot.devices:
        parts = state.idle_uj + state.context_uj + state.active_uj + state.unattributed_uj
        assert parts == state.energy_uj
        assert sums.get(state.device.id, 0) == state.context_uj + state.active_uj
        users = [row.energy_uj for row in snapshot.users if row.device == state.device]
        assert sum(users) == state.context_uj + state.active_uj
        jobs = [row.energy_uj for row in snapshot.jobs if row.device == state.device]
        past = [row.active_uj for row in snapshot.folded_jobs if row.device == state.device]
        assert sum(jobs) + sum(past) == state.context_uj + state.active_uj


@settings(deadline=None)
@given(EVENTS, st.integers(1, 6))
def test_the_sums_hold_and_nothing_falls(
    events: list[tuple[object, int, dict[tuple[int, int], float], set[int]]], cap: int
) -> None:
    """Processes come, go and reuse pids; `other` and the devices only grow, and so does each account that stays."""
    directory = FakeDirectory()
    ledger = Ledger(directory, cap, retention_s=2.0)
    posted_uj, before = 0, ledger.draft(0.0, "", {}).snapshot()
    for number, (device, energy_uj, busy, ended) in enumerate(events):
        posted_uj += energy_uj
        work = {process(pid, born): seconds for (pid, born), seconds in busy.items()}
        post(ledger, energy_uj, work, "gpu" if device is GPU else "cpu")
        directory.end(process(pid, born) for pid in ended for born in range(1, 4))
        ledger.retire(float(number))
        assert len(ledger.processes()) <= cap
        after = ledger.draft(0.0, "", {}).snapshot()
        check(after)
        assert_no_fall(before, after)
        before = after
    assert sum(state.energy_uj for state in before.devices) == posted_uj


def assert_no_fall(before: Snapshot, after: Snapshot) -> None:
    devices = {state.device.id: state for state in after.devices}
    for state in before.devices:
        assert devices[state.device.id].energy_uj >= state.energy_uj
        assert devices[state.device.id].active_uj >= state.active_uj
    now = {(row.device.id, row.info): row for row in after.processes}
    for row in before.processes:
        later = now.get((row.device.id, row.info))
        if later is None:
            assert row.info is not None, "`other` never goes away"
        else:
            assert later.active_uj >= row.active_uj


def test_an_account_that_stays_never_falls() -> None:
    ledger = Ledger(FakeDirectory())
    last_uj = 0
    for _ in range(20):
        post(ledger, 1000, {process(1): 1.0, process(2): 2.0})
        now_uj = ledger.part(process(1), GPU.id).energy_uj
        assert now_uj > last_uj
        last_uj = now_uj


def test_equals_do_not_flap_at_the_cap() -> None:
    ledger = Ledger(FakeDirectory(), max_processes=5)
    everyone = {process(pid): 1.0 for pid in range(1, 21)}
    post(ledger, 1_000_000, everyone)
    shown = set(ledger.processes())
    for _ in range(10):
        post(ledger, 1_000_000, everyone)
        assert set(ledger.processes()) == shown


def test_a_heavy_latecomer_gets_an_account() -> None:
    ledger = Ledger(FakeDirectory(), max_processes=2)
    for _ in range(3):
        post(ledger, 1_000_000, {process(1): 1.0, process(2): 1.0, process(3): 0.01})
    assert process(3) not in ledger.processes()
    for _ in range(10):
        post(ledger, 1_000_000, {process(3): 1.0})
    assert process(3) in ledger.processes()
    check(ledger.draft(0.0, "", {}).snapshot())


def test_folded_work_still_belongs_to_its_run() -> None:
    ledger = Ledger(FakeDirectory(), max_processes=1)
    ledger.register_run("run", "", "")
    own_uj = 0
    for pid in range(1, 30):
        attribution = post(ledger, 1_000_000, {process(pid): 1.0})
        own_uj += attribution.active_uj[process(pid)] if pid % 2 else 0
    assert ledger.run_part("run", GPU.id).energy_uj == own_uj
    assert ledger.run_part("none", GPU.id) == PartAccount()


def test_the_ended_are_kept_for_the_retention_and_then_folded() -> None:
    directory = FakeDirectory()
    ledger = Ledger(directory, retention_s=300)
    post(ledger, 700, {process(1): 1.0})
    directory.end([process(1)])
    ledger.retire(10.0)
    (row,) = ledger.draft(0.0, "", {}).snapshot().processes
    assert row.ended_s == 10.0
    ledger.retire(309.0)
    assert process(1) in ledger.processes()
    ledger.retire(310.0)
    snapshot = ledger.draft(0.0, "", {}).snapshot()
    assert snapshot.processes == ()
    assert snapshot.folded == (FoldedEnergy(GPU, 0, 600),)
    assert ledger.folded == 1


def test_memory_of_the_folded_is_bounded() -> None:
    ledger = Ledger(FakeDirectory(), max_processes=3)
    for pid in range(1, 500):
        post(ledger, 1000, {process(pid): 1.0})
    assert ledger._book.dormant <= 30


def test_a_snapshot_is_frozen_and_changes_nothing() -> None:
    ledger = Ledger(FakeDirectory())
    ledger.open_account(CPU, DeviceFacts(driver="d"))
    post(ledger, 999, {process(1): 1.0})
    ledger.fault(Fault(GPU.id, 1.0, "gap", retry=True))
    first, second = (ledger.draft(1.0, "v", {GPU.id: 70.0}).snapshot() for _ in range(2))
    assert first == replace(second, number=first.number)
    with pytest.raises(AttributeError):
        first.version = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        first.fault_counts["", "gap"] = 2  # type: ignore[index]
    post(ledger, 999, {process(1): 1.0})
    ledger.fault(Fault(GPU.id, 2.0, "gap", retry=True))
    assert first == replace(second, number=first.number)
    assert first.fault_counts == {**{(CPU.id, reason): 0 for reason in FAULT_REASONS}, (GPU.id, "gap"): 1}


def test_a_device_that_is_down_has_no_power() -> None:
    ledger = Ledger(FakeDirectory())
    ledger.open_account(GPU, DeviceFacts())
    ledger.open_account(CPU, DeviceFacts())
    gpu, cpu = ledger.draft(1.0, "", {CPU.id: None}).snapshot().devices
    assert (gpu.up, gpu.power_w) == (False, None)
    assert (cpu.up, cpu.power_w) == (True, None)


def test_a_run_is_shown_with_its_name_where_that_is_known() -> None:
    ledger = Ledger(FakeDirectory(), max_processes=1)
    ledger.register_run("run", "", "")
    for pid in (1, 2, 3):
        post(ledger, 700, {process(pid): 1.0})
    (nameless,) = ledger.draft(0.0, "", {}).snapshot().runs
    assert nameless == RunEnergy("run", "", "", GPU, 1200)
    ledger.register_run("run", "resnet", "ada")
    ledger.register_run("run", "another word", "ada")
    (named,) = ledger.draft(0.0, "", {}).snapshot().runs
    assert named == RunEnergy("run", "resnet", "ada", GPU, 1200)


def test_a_run_leaves_some_time_after_its_end_and_goes_on_if_it_is_registered_again() -> None:
    ledger = Ledger(FakeDirectory(), retention_s=300)
    ledger.register_run("run", "", "")
    post(ledger, 700, {process(1): 1.0})
    ledger.end_run("none", 5.0)
    ledger.end_run("run", 10.0)
    ledger.end_run("run", 20.0)
    post(ledger, 700, {process(1): 1.0})
    assert [(row.energy_uj, row.ended_s) for row in ledger.draft(0.0, "", {}).snapshot().runs] == [(1200, 10.0)]
    ledger.retire(309.0)
    assert ledger.register_run("run", "resnet", "ada")
    ledger.retire(400.0)
    assert ledger.run_part("run", GPU.id).energy_uj == 1200
    ledger.end_run("run", 400.0)
    ledger.retire(700.0)
    assert ledger.draft(0.0, "", {}).snapshot().runs == ()


def test_a_run_that_was_withdrawn_does_not_come_back_by_what_comes_late() -> None:
    """It would have no name and no end, and stay for ever."""
    ledger = Ledger(FakeDirectory(), retention_s=1.0)
    ledger.register_run("run", "resnet", "ada")
    ledger.end_run("run", 1.0)
    ledger.retire(3.0)
    post(ledger, 700, {process(1): 1.0})
    delta, error = EnergyDelta(GPU, 0.0, 1.0, 9), {"run": PartError(1.0)}
    ledger.post(Attribution(delta, 0, {}, {process(1): 9}, 0, run_errors=error))
    assert ledger.draft(0.0, "", {}).snapshot().runs == ()


def test_new_runs_take_the_place_of_ended_ones_only() -> None:
    ledger = Ledger(FakeDirectory(), max_runs=2)
    for run in ("a", "b"):
        assert ledger.register_run(run, "", "")
    assert not ledger.register_run("c", "", "")
    post(ledger, 700, {process(1): 1.0})
    assert ledger.draft(0.0, "", {}).snapshot().runs == (), "there is no room for it; its processes are shown"
    ledger.end_run("b", 1.0)
    ledger.end_run("a", 2.0)
    assert ledger.register_run("c", "", "")
    ledger.post(Attribution(EnergyDelta(GPU, 0.0, 1.0, 9), 0, {}, {process(2): 9}, 0), lambda _: "a")
    assert [row.run for row in ledger.draft(0.0, "", {}).snapshot().runs] == ["a"]


class Users(FakeDirectory):
    """Each pid has a user of its own; multiples of ten have none."""

    def describe(self, process: ProcessId) -> ProcessInfo:
        return ProcessInfo(process, "p", str(process.pid) if process.pid % 10 else "")


def test_users_have_all_that_their_processes_used() -> None:
    ledger = Ledger(Users(), max_processes=2)
    for number in range(1, MOST_USERS + 50):
        post(ledger, 700, {process(number): 1.0, process(3, number): 2.0})
    snapshot = ledger.draft(0.0, "", {}).snapshot()
    check(snapshot)
    named = {row.user: row.energy_uj for row in snapshot.users}
    assert len(named) == MOST_USERS + 1
    assert named["3"] >= 400 * (MOST_USERS + 49)
    assert named[""] > 200 * (MOST_USERS // 10)


def test_a_smaller_limit_folds_those_who_used_least() -> None:
    ledger = Ledger(FakeDirectory(), max_processes=5, retention_s=300)
    for pid in range(1, 6):
        post(ledger, 700 * pid, {process(pid): 1.0})
    before = ledger.draft(0.0, "", {}).snapshot()
    ledger.limit(2, 10.0, 1000, 200)
    assert set(ledger.processes()) == {process(4), process(5)}
    check(ledger.draft(0.0, "", {}).snapshot())
    assert_no_fall(before, ledger.draft(0.0, "", {}).snapshot())
    ledger.limit(3, 10.0, 1000, 200)
    post(ledger, 7000, {process(3): 1.0})
    assert process(3) in ledger.processes()


def test_two_that_would_share_a_series_are_restored_as_one_and_the_past() -> None:
    rows = tuple(ProcessEnergy(ProcessInfo(process(1, born), "p", "ada"), "", GPU, 0, 100, 0.0) for born in (1, 2))
    jobs = (JobEnergy(Owner(), "ada", GPU, 200),)
    state = DeviceState(GPU, DeviceFacts(), False, None, 200, 0, 0, 200, 0)
    ledger = Ledger(FakeDirectory())
    ledger.restore(Snapshot(0.0, "", (state,), rows, users=(UserEnergy("ada", GPU, 200),), jobs=jobs))
    snapshot = ledger.draft(0.0, "", {}).snapshot()
    check(snapshot)
    assert [row.active_uj for row in snapshot.processes] == [100]
    assert snapshot.folded == (FoldedEnergy(GPU, 0, 100),)


def test_a_device_was_seen_when_it_was_last_up() -> None:
    ledger = Ledger(FakeDirectory())
    ledger.open_account(GPU, DeviceFacts())
    assert ledger.draft(1.0, "", {}).snapshot().devices[0].seen_unix_s == 1.0
    assert ledger.draft(2.0, "", {GPU.id: None}).snapshot().devices[0].seen_unix_s == 2.0
    first, second = ledger.draft(3.0, "", {}).snapshot(), ledger.draft(4.0, "", {}).snapshot()
    assert (second.devices[0].seen_unix_s, second.number) == (2.0, first.number + 1)


def test_what_did_not_change_is_shown_by_the_same_object() -> None:
    ledger = Ledger(FakeDirectory())
    post(ledger, 700, {process(1): 1.0})
    post(ledger, 700, {process(2): 1.0})
    first = ledger.draft(0.0, "", {}).snapshot().processes
    post(ledger, 700, {process(2): 1.0})
    second = ledger.draft(0.0, "", {}).snapshot().processes
    assert second[0] is first[0]
    assert (first[1].active_uj, second[1].active_uj) == (600, 1200)


def test_a_successor_by_pid_and_name_goes_on_with_the_account() -> None:
    directory = FakeDirectory()
    ledger = Ledger(directory, retention_s=300)
    first, second = process(1, 100), process(1, 900)
    post(ledger, 700, {first: 1.0})
    directory.end([first])
    ledger.retire(1.0)
    post(ledger, 700, {second: 1.0})
    ledger.retire(400.0)
    (row,) = ledger.draft(0.0, "", {}).snapshot().processes
    assert row.info == directory.describe(second)
    assert (row.active_uj, row.ended_s) == (1200, None)
    assert set(ledger.processes()) == {second}


def test_late_work_of_a_predecessor_goes_to_the_same_series() -> None:
    ledger = Ledger(FakeDirectory())
    for born in (100, 900, 100, 900):
        post(ledger, 700, {process(1, born): 1.0})
    (row,) = ledger.draft(0.0, "", {}).snapshot().processes
    assert row.active_uj == 2400
    assert set(ledger.processes()) == {process(1, 900)}


def test_other_is_only_what_the_nameless_use_meanwhile() -> None:
    """370 W of others beside a job that ends: `other` grows by theirs only, never by the past of the job."""
    directory = FakeDirectory()
    ledger = Ledger(directory, max_processes=1, retention_s=0.0)
    post(ledger, 7_000_000, {process(1): 1.0})
    post(ledger, 70, {process(2): 1.0})
    before = ledger.draft(0.0, "", {}).snapshot()
    directory.end([process(1)])
    ledger.retire(5.0)
    after = ledger.draft(0.0, "", {}).snapshot()
    assert [row.active_uj for row in before.processes if row.info is None] == [60]
    assert [row.active_uj for row in after.processes] == [60]
    assert after.folded == (FoldedEnergy(GPU, 0, 6_000_000),)
    check(after)


def test_errors_add_in_squares_and_linearly() -> None:
    part = PartAccount(active_uj=100, variance_uj2=9.0, systematic_uj=4.0)
    part.merge(PartAccount(active_uj=1, variance_uj2=16.0, systematic_uj=6.0))
    assert (part.energy_uj, part.variance_uj2, part.systematic_uj) == (101, 25.0, 10.0)


@pytest.mark.parametrize(
    ("calibration", "gain_95"),
    [(None, GAIN_95), (Calibration(0.96, 5.0, 0.01, 3.0, source="a meter"), Z_95 * 0.01 / 0.96)],
)
def test_the_error_of_a_process_has_the_gain_of_its_sensor(calibration: Calibration | None, gain_95: float) -> None:
    """But not the offset, which went with the idle part."""
    ledger = Ledger(FakeDirectory())
    ledger.open_account(GPU, DeviceFacts(), calibration)
    ledger.open_account(GPU, DeviceFacts(method="integrated"))
    ledger.post(Attribution(EnergyDelta(GPU, 0.0, 1.0, 1000), 0, {}, {process(1): 1000}, 0))
    (row,) = ledger.draft(0.0, "", {}).snapshot().processes
    assert row.error_uj == pytest.approx(gain_95 * 1000)
    assert ledger.scale(GPU).scope == (GPU.id if calibration else "gpu")
