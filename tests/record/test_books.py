"""From the ledger to the record: parts sum, what is not known is no zero, and intervals hold the truth."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.books.accounts import ProcessAccount
from aipower.books.ledger import Ledger
from aipower.errors import SensorGoneError
from aipower.meter import Meter
from aipower.model import Device, ProcessId, ProcessInfo, Usage
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.processes.tree import RunTree
from aipower.record.books import Books, _command, _identifiable, close_books
from aipower.record.device_rows import TICK_S, uncounted_cpu_s
from aipower.record.measured import RUN, Measured, Trouble
from aipower.runrecord import DeviceRecord
from aipower.seams import SensorSet, SystemClock
from fakes import CPU, GPU, FakeClock, FakeDirectory, ScriptedSensor, ScriptedUsage, process
from run.aipower_run import sum_of_parts_j

MINE, STRANGER = process(1), process(2)
START_S = 1.0
Readings = Callable[[float], tuple[int | None, float | None]]
Usages = Callable[[float, float], Usage]


def counting(watts: float) -> Readings:
    return lambda at_s: (int(at_s * 10) * round(watts * 1e5), watts)


def working(*processes: ProcessId, unknown: int = 0) -> Usages:
    """All `processes` hold the device and work all the time, as do `unknown` others."""

    def usage(since_s: float, now_s: float) -> Usage:
        span_s = now_s - since_s
        busy_s = dict.fromkeys(processes, span_s) if span_s > 0 else {}
        return Usage(since_s, now_s, busy_s, unknown * span_s, frozenset(processes), unknown, 8 * span_s)

    return usage


def measured(
    readings: Readings,
    usage: Usages | None,
    seconds: float = 5.0,
    device: Device = GPU,
    troubles: tuple[Trouble, ...] = (),
) -> Measured:
    """A run of `seconds` on one device."""
    clock = FakeClock(START_S)
    found = SensorSet(
        [ScriptedSensor(clock, readings, device)],
        {device.id: ScriptedUsage(clock, usage)} if usage else {},
    )
    ledger = Ledger(FakeDirectory())
    ledger.register_run(RUN, "", "")
    meter = Meter(found, ledger, clock, run_of=lambda who: RUN if who == MINE else "")
    meter.sample()
    meter.prime()
    for channel in meter.channels:
        channel.open(START_S)
    while clock.now_s < START_S + seconds - 1e-9:
        clock.sleep(min(0.1, START_S + seconds - clock.now_s))
        meter.sample()
        if round(clock.now_s * 10) % 10 == 0:
            meter.attribute()
    for channel in meter.channels:
        channel.close(START_S + seconds)
    meter.attribute()
    return Measured(meter, ledger, None, START_S, START_S + seconds, complete=True, troubles=troubles)


def close(run: Measured, cpu_s: float = 0.0) -> tuple[Books, DeviceRecord]:
    books = close_books(run, "command", cpu_s)
    return books, books.devices[0]


def parts_j(row: DeviceRecord) -> float:
    return sum_of_parts_j({name: getattr(row, name) for name in DeviceRecord.__struct_fields__})


@pytest.mark.parametrize(
    "usage",
    [
        working(MINE),
        working(STRANGER),
        working(MINE, STRANGER),
        working(MINE, unknown=1),
        working(),
        working(unknown=1),
        None,
    ],
)
def test_run_idle_other_and_unattributed_are_the_whole(usage: Usages | None) -> None:
    _, row = close(measured(counting(200.0), usage))
    assert row.energy_j == pytest.approx(1000.0, rel=0.03)
    assert parts_j(row) == pytest.approx(row.energy_j, abs=1e-6)


def test_other_processes_and_the_unattributed_are_two_accounts() -> None:
    _, row = close(measured(counting(200.0), working(MINE, STRANGER, unknown=1)))
    assert row.energy_j is not None
    for part_j in (row.run_energy_j, row.other_j, row.unattributed_j):
        assert part_j == pytest.approx(row.energy_j / 3, rel=0.03)


@pytest.mark.parametrize(("device", "why"), [(GPU, "this driver does not say who works"), (CPU, "/proc")])
def test_without_any_usage_the_part_is_null_and_says_why(device: Device, why: str) -> None:
    books, row = close(measured(counting(200.0), None, device=device))
    assert row.energy_j is not None
    assert (row.run_energy_j, row.run_interval_j) == (None, None)
    assert why in row.run_unknown
    assert books.energy_j.total is None
    assert books.interval_j.total is None


def test_a_gpu_on_which_only_unknown_processes_worked_is_null_too() -> None:
    books, row = close(measured(counting(200.0), working(unknown=1)))
    assert row.run_energy_j is None
    assert "does not say who works" in row.run_unknown
    assert books.energy_j.gpu is None


def test_unattributed_energy_may_be_the_runs() -> None:
    _, row = close(measured(counting(200.0), working(MINE, unknown=3)))
    assert row.run_interval_j is not None
    assert row.run_energy_j is not None
    assert row.unattributed_j is not None
    assert row.run_interval_j[1] >= row.run_energy_j + row.unattributed_j


def test_a_gpu_where_a_stranger_worked_is_a_certain_zero() -> None:
    _, row = close(measured(counting(200.0), working(STRANGER)))
    assert (row.run_energy_j, row.run_interval_j, row.run_unknown) == (0.0, (0.0, 0.0), "")


def test_a_gpu_job_shorter_than_a_poll_may_have_used_all_of_it() -> None:
    _, row = close(measured(counting(200.0), working(), seconds=0.3))
    assert row.run_energy_j == 0.0
    assert row.energy_j is not None
    assert row.run_interval_j is not None
    assert row.run_interval_j == pytest.approx((0.0, row.energy_j))


@given(st.floats(0, 1e3), st.floats(0, 1e3))
def test_at_least_a_tick_is_uncounted(exact_s: float, counted_s: float) -> None:
    uncounted_s = uncounted_cpu_s(exact_s, counted_s)
    assert uncounted_s >= TICK_S
    assert counted_s + uncounted_s >= exact_s - 1e-9


@pytest.mark.parametrize("cpu_s", [0.0, 0.004, 0.5])
def test_less_cpu_time_than_a_tick_is_not_certainly_nothing(cpu_s: float) -> None:
    _, row = close(measured(counting(80.0), working(STRANGER), device=CPU), cpu_s)
    assert row.energy_j is not None
    assert row.run_energy_j == 0.0
    assert row.run_interval_j is not None
    joules_per_cpu_s = row.energy_j / 5.0 / (os.cpu_count() or 1)
    assert row.run_interval_j == pytest.approx((0.0, max(0.01, cpu_s) * joules_per_cpu_s))


def leaving(at_s: float, watts: float) -> Readings:
    def read(now_s: float) -> tuple[int, float]:
        if now_s > at_s:
            raise SensorGoneError("gone", "left")
        return int(now_s * 10) * round(watts * 1e5), watts

    return read


def test_a_sensor_that_leaves_has_the_mean_of_its_time_and_is_incomplete() -> None:
    books, row = close(measured(leaving(START_S + 2.0, 200.0), working(MINE)))
    assert row.covered_s == pytest.approx(2.0, abs=0.3)
    assert row.mean_w == pytest.approx(200.0, rel=0.05)
    assert not books.covered
    assert [fault.reason for fault in books.faults] == ["gone"]


def test_a_sensor_that_stays_covers_the_run() -> None:
    books, row = close(measured(counting(200.0), working(MINE)))
    assert row.covered_s == pytest.approx(5.0)
    assert books.covered


@given(st.floats(20, 700), st.floats(0.2, 3.0))
def test_the_peak_is_never_below_the_mean(watts: float, seconds: float) -> None:
    _, row = close(measured(lambda at_s: (int(at_s * 10) * round(watts * 1e5), 10.0), working(MINE), seconds))
    if row.mean_w is not None and row.peak_w is not None:
        assert row.peak_w >= row.mean_w


def test_two_readings_have_no_peak() -> None:
    _, row = close(measured(counting(100.0), working(MINE), seconds=0.1))
    assert row.peak_w is None


def test_faults_before_the_start_are_at_zero() -> None:
    run = replace(measured(leaving(START_S + 1.0, 200.0), working(MINE)), started_s=START_S + 3.0)
    books = close_books(run, "command", 0.0)
    assert [(fault.first_s, fault.reason) for fault in books.faults] == [(0.0, "gone")]


def test_troubles_of_the_measurement_are_faults_of_no_device() -> None:
    late = Trouble("driver_late", "the driver did not answer within 10 s")
    books, _ = close(measured(counting(100.0), working(MINE), troubles=(late,)))
    assert [(fault.device, fault.reason, fault.detail) for fault in books.faults] == [(None, late.reason, late.detail)]


def test_without_sensors_the_trouble_is_the_reason() -> None:
    late = Trouble("driver_late", "the driver did not answer within 10 s")
    books = close_books(Measured(None, None, None, 0.0, 1.0, complete=False, troubles=(late,)), "true", 0.0)
    assert [missing.reason for missing in books.not_measured] == [late.detail]
    assert not books.covered
    assert books.energy_j.total is None


def by_turns(since_s: float, now_s: float) -> Usage:
    """Each is alone for two seconds, then both work."""
    who = ((MINE,), (STRANGER,), (MINE, STRANGER))[int(since_s / 2) % 3]
    return replace(working(*who)(since_s, now_s), holders=frozenset({MINE, STRANGER}))


def hardly_shared(since_s: float, now_s: float) -> Usage:
    """All the time a little is done by someone unknown."""
    return replace(working(MINE)(since_s, now_s), unknown_busy_s=0.01 * (now_s - since_s))


@pytest.mark.parametrize(
    ("usage", "identifiable"),
    [
        (working(MINE), True),
        (hardly_shared, True),
        (working(MINE, unknown=1), False),
        (working(MINE, STRANGER), False),
        (by_turns, True),
    ],
)
def test_only_sharing_makes_a_process_hard_to_tell_apart(usage: Usages, identifiable: bool) -> None:
    """The idle level is not known, which makes the error of a lone process large but it none the less distinct."""
    run = measured(counting(200.0), usage, seconds=18.0)
    assert run.meter is not None
    assert run.ledger is not None
    account = run.ledger.processes()[MINE]
    assert account.energy_uj > 0
    assert _identifiable(MINE, account, run.meter, run.ledger) is identifiable


def test_a_process_without_energy_has_nothing_to_tell_apart() -> None:
    run = measured(counting(200.0), working(STRANGER), seconds=18.0)
    assert run.meter is not None
    assert run.ledger is not None
    assert _identifiable(MINE, ProcessAccount(ProcessInfo(MINE, "mine"), RUN), run.meter, run.ledger)


def test_the_newest_command_line_is_shown() -> None:
    procfs = ProcFs()
    with subprocess.Popen(["sleep", "1000"]) as child:
        tree = RunTree(procfs, child.pid, os.getpid(), ProcessTable(procfs, SystemClock()))
        try:
            assert _command(tree.root, tree, "as asked", "comm") == "as asked"
            tree.refresh()
            tree.refresh()
            assert _command(tree.root, tree, "as asked", "comm") == "sleep 1000"
            assert _command(process(1), tree, "as asked", "comm") == "comm"
        finally:
            child.kill()


def test_what_no_reading_covered_may_have_been_used_at_the_highest_power() -> None:
    """The sensor leaves after 3 s of 5 s at 100 W: up to 200 J more than was counted."""
    _, row = close(measured(leaving(START_S + 3.0, 100.0), working(MINE)))
    assert row.interval_j is not None
    assert row.energy_j is not None
    high_j = row.interval_j[1] - row.energy_j
    missing_j = (5.0 - row.covered_s) * (row.peak_w or 0.0)
    assert missing_j > 150
    assert high_j > missing_j
