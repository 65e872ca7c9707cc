"""Processes that live and die between two looks, by the driver's accounts; nothing counts twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.sensors.nvml.accounting import MODE, PIDS, STATS, Accounting
from aipower.sensors.nvml.codes import CallError
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.sampler import Work
from fake_driver.build import strictest
from fake_driver.presets import h100
from fake_driver.script import Busy, FaultRule, Gpu, Process, Sampler, not_supported
from sensors.nvml.rig import Rig, rig
from sensors.nvml.standin import FakeClock, Standin, fails

EXACT = "nvmlDeviceGetAccountingStats_v2"
THIRD = 0.3
"""Of half a second there are three or four samples, and the first and last reach beyond it."""
GHOST = 5_000_000
"""From here on no process can live, so that samples of those that show only while they live never name it."""


def brief(pid: int, start_s: float, end_s: float, percent: float = 90.0, *, named: bool = False) -> Process:
    """A process that the samples name only if `named`."""
    return Process(pid, start_s, end_s, busy=(Busy(start_s, end_s, percent),), only_alive=not named)


def gpu(*processes: Process, accounting: bool = True, **changes: Any) -> Gpu:
    return h100(processes=processes, accounting=accounting, sampler=Sampler("each"), **changes)


def poll(machine: Rig, *times_s: float) -> list[dict[str, Any]]:
    return [machine.at(now_s).collect() for now_s in times_s]


def sums_s(windows: Sequence[dict[str, Any]]) -> Counter[int]:
    total: Counter[int] = Counter()
    for window in windows:
        for pid, seconds in window["busy_s"].items():
            total[int(pid)] += seconds
    return total


@pytest.mark.parametrize("variant", [strictest(), "no-exact-accounts"])
def test_a_process_between_two_looks_is_found(tmp_path: Path, variant: str) -> None:
    crowd = (brief(GHOST, 2.1, 2.6), brief(9001, 3.1, 3.6, 60.0), brief(GHOST + 1, 0.2, 0.4))
    with rig(tmp_path, gpu(*crowd), variant=variant) as machine:
        machine.discover()
        windows = poll(machine, 1.01, 2.01, 3.01, 4.01, 5.01)
    assert sums_s(windows) == {GHOST: pytest.approx(0.45, rel=THIRD)}
    assert [window["unknown_busy_s"] for window in windows] == [0, 0, 0, pytest.approx(0.3, rel=THIRD), 0]


def test_what_samples_have_told_is_not_told_again(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(brief(11, 2.0, 2.5, named=True))) as machine:
        machine.discover()
        found_s = sums_s(poll(machine, *(second + 0.01 for second in range(1, 20))))
    assert found_s == {11: pytest.approx(0.45, abs=0.02)}


def test_a_process_that_lived_over_a_look_is_the_samplers(tmp_path: Path) -> None:
    """Its mean over an hour is no work of its last second."""
    with rig(tmp_path, gpu(Process(GHOST, 0.5, 30.5, busy=90.0, only_alive=True))) as machine:
        machine.discover()
        assert sums_s(poll(machine, *(second + 0.01 for second in range(1, 35)))) == {}


def test_without_accounting_nothing_is_asked(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(brief(GHOST, 2.0, 2.5), accounting=False)) as machine:
        machine.discover()
        assert sums_s(poll(machine, 1.01, 2.01, 3.01)) == {}
        assert machine.calls[f"{MODE} 0"] == 1
        poll(machine, 70.0)
        assert (machine.calls[f"{MODE} 0"], machine.calls[f"{PIDS} 0"]) == (2, 0)


def test_only_the_new_dead_are_asked_for(tmp_path: Path) -> None:
    old = tuple(brief(GHOST + number, 0.1, 0.2) for number in range(200))
    with rig(tmp_path, gpu(*old, Process(11, busy=50.0), Process(12, 1.5), brief(GHOST + 900, 2.2, 2.4))) as machine:
        machine.at(1.0).discover()
        poll(machine, 1.01)
        assert not [call for call in machine.at(2.01).calls_of("collect") if STATS in call]
        machine.at(3.01)
        calls = machine.calls_of("collect")
    assert {call: count for call, count in calls.items() if "Accounting" in call} == {
        "nvmlDeviceGetAccountingBufferSize 0": 1, f"{PIDS} 0": 1, f"{EXACT} 0": 1,
    }  # fmt: skip


def test_more_dead_than_the_driver_keeps_are_bounded(tmp_path: Path) -> None:
    crowd = tuple(brief(GHOST + number, 1.0 + number / 1000, 1.1 + number / 1000) for number in range(300))
    with rig(tmp_path, gpu(*crowd)) as machine:
        machine.discover()
        poll(machine, 0.5)
        (window,) = poll(machine, 2.0)
        assert machine.calls[f"{EXACT} 0"] == 128
    assert len(window["busy_s"]) == 128


@pytest.mark.parametrize("function", [PIDS, EXACT])
@pytest.mark.parametrize("code", [3, 10, 999])
def test_accounts_that_fail_cost_nothing_else(tmp_path: Path, function: str, code: int) -> None:
    rules = (FaultRule(function, 2.0, code=code),)
    with rig(tmp_path, gpu(brief(11, 0, 100, 50.0, named=True), brief(GHOST, 2.2, 2.5), faults=rules)) as machine:
        machine.discover()
        found_s = sums_s(poll(machine, 1.01, 2.01, 3.01, 4.01))
    assert found_s[11] == pytest.approx(2.0, abs=0.03)


def test_a_gpu_that_left_is_gone(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(faults=(FaultRule(PIDS, 2.0, code=15),))) as machine:
        machine.discover()
        poll(machine, 1.0)
        assert machine.at(2.5).failure("collect").kind == "SensorGoneError"


def test_mig_keeps_no_accounts(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(brief(GHOST, 2.0, 2.5), mig="on", faults=not_supported(MODE))) as machine:
        machine.discover()
        assert sums_s(poll(machine, 1.01, 2.01, 3.01)) == {}


class Account:
    """What the driver tells of a dead process."""

    def __init__(self, percent: int, time_ms: int, start_us: int) -> None:
        self.isRunning, self.gpuUtilization = 0, percent
        self.time, self.startTime = time_ms, start_us


WORLD = st.lists(st.lists(st.tuples(st.integers(1, 4), st.floats(0.0, 1.0)), max_size=5), min_size=1, max_size=12)


@given(WORLD, st.lists(st.tuples(st.integers(0, 120), st.integers(0, 2**40)), min_size=4, max_size=4))
def test_a_pid_has_no_more_than_the_larger_of_samples_and_account(
    windows: list[list[tuple[int, float]]], accounts: list[tuple[int, int]]
) -> None:
    """Whichever is told first, and in how many parts: late samples of the dead are no second work of theirs."""
    clock, listed = FakeClock(), [1]
    told = {pid: Account(*accounts[pid - 1], round(clock.unix_s() * 1e6)) for pid in (1, 2, 3, 4)}
    answers: dict[str, Any] = {
        MODE: lambda _: 1,
        PIDS: lambda _: list(listed),
        STATS: lambda _, pid: told[pid],
        EXACT: fails(13),
    }
    subject = Accounting(Driver(Standin(answers)), 0, clock)
    subject.settle([], ())
    sampled_s: dict[int, float] = defaultdict(float)
    settled_s: dict[int, float] = defaultdict(float)
    for number, window in enumerate(windows):
        clock.sleep(0.5)
        listed[:] = range(1, min(number, 4) + 1) or [1]
        for pid, seconds in window:
            sampled_s[pid] += seconds
        for part in subject.settle([Work(pid, clock.unix_s(), seconds) for pid, seconds in window], ()):
            assert part.busy_s > 0
            settled_s[part.pid] += part.busy_s
    for pid in (1, 2, 3, 4):
        assert sampled_s[pid] - 1e-9 <= settled_s[pid] <= max(sampled_s[pid], 0.5 + 2.0) + 1e-9


def test_a_gpu_that_leaves_while_an_account_is_read() -> None:
    pids = iter(([], [5]))
    answers: dict[str, Any] = {MODE: lambda _: 1, PIDS: lambda _: next(pids), EXACT: fails(15)}
    subject = Accounting(Driver(Standin(answers)), 0, FakeClock())
    subject.settle([], ())
    with pytest.raises(CallError):
        subject.settle([], ())
