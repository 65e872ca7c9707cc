"""Who worked on a GPU and who holds a context, against the truth of the script."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fake_driver.build import Variant
from fake_driver.presets import h100
from fake_driver.script import Busy, FaultRule, Gpu, Process, Sampler, not_supported
from sensors.nvml.rig import Rig, rig

EACH = Sampler("each")
SAMPLE_S = 1 / 6
HALF = 0.005
"""Whole percents say no more than to half of one."""
PLAIN, WIDE = "nvmlDeviceGetProcessUtilization", "nvmlDeviceGetProcessesUtilizationInfo"
COMPUTE, MPS = "nvmlDeviceGetComputeRunningProcesses_v*", "nvmlDeviceGetMPSComputeRunningProcesses_v*"
UNKNOWN = 9001
ONLY_WIDE = Variant(omit=(PLAIN,))
TRIO = (
    Process(11, busy=(Busy(0, 100, 37.5),)),
    Process(12, 3.0, 26.0, busy=(Busy(0, 100, 44.0, period_s=0.7, duty=0.3),)),
    Process(13, busy=(Busy(12, 14.5, 30.0), Busy(20, 20.6, 20.0))),
)


def gpu(*processes: Process, sampler: Sampler = EACH, **changes: Any) -> Gpu:
    return h100(processes=processes, sampler=sampler, **changes)


def poll(machine: Rig, *times_s: float) -> list[dict[str, Any]]:
    """The usage up to each of `times_s`."""
    return [machine.at(now_s).collect() for now_s in times_s]


def sums_s(windows: list[dict[str, Any]]) -> Counter[int]:
    """Busy seconds of each pid over all windows."""
    total: Counter[int] = Counter()
    for window in windows:
        for pid, seconds in window["busy_s"].items():
            total[int(pid)] += seconds
    return total


def each_second(last: int) -> list[float]:
    return [second + 0.03 for second in range(1, last + 1)]


@pytest.mark.parametrize("variant", ["full", "no-processes-info", "no-fields", "old", ONLY_WIDE])
def test_each_sample_counts_once(tmp_path: Path, variant: str | Variant) -> None:
    with rig(tmp_path, gpu(*TRIO), variant=variant) as machine:
        machine.discover()
        check_the_trio(poll(machine, *each_second(30)))


def test_each_sample_counts_once_where_sizing_answers_success(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TRIO, sampler=Sampler("each", sizing_success=True))) as machine:
        machine.discover()
        check_the_trio(poll(machine, *each_second(30)))


def check_the_trio(windows: list[dict[str, Any]]) -> None:
    """30 s of polls: off by half a percent per poll and process, and by a sample at the end."""
    totals_s = sums_s(windows)
    for process in TRIO:
        true_s = process.true_busy_s(0.0, 30.0)
        assert totals_s[int(process.pid)] == pytest.approx(true_s - 0.15, abs=0.15 + 1e-4 + SAMPLE_S * 0.01)
    assert all(window["sampled"] and window["unknown_busy_s"] == 0 for window in windows)
    assert [window["span"] for window in windows[1:]] == [
        [1000 + start_s, 1000 + end_s] for start_s, end_s in zip(each_second(29), each_second(30)[1:], strict=True)
    ]


@pytest.mark.parametrize("step_s", [0.2, 0.5, 2.5, 7.0])
def test_the_pace_of_polls_does_not_matter(tmp_path: Path, step_s: float) -> None:
    times_s = [number * step_s + 0.01 for number in range(1, int(42 / step_s) + 1)]
    with rig(tmp_path, gpu(Process(11, busy=50.0), Process(12, busy=25.0))) as machine:
        machine.discover()
        totals_s = sums_s(poll(machine, *times_s))
    assert totals_s[11] == pytest.approx(0.50 * times_s[-1], abs=SAMPLE_S + HALF * times_s[-1])
    assert totals_s[12] == pytest.approx(0.25 * times_s[-1], abs=SAMPLE_S + HALF * times_s[-1])


def test_one_name_per_sample(tmp_path: Path) -> None:
    """The sum is exact; the shares have the binomial error that `samples` states."""
    pair = (Process(11, busy=60.0), Process(12, busy=20.0))
    with rig(tmp_path, gpu(*pair, sampler=Sampler("one", seed=3))) as machine:
        machine.discover()
        windows = poll(machine, *each_second(120))
    totals_s = sums_s(windows)
    samples = sum(window["samples"] for window in windows)
    assert samples == pytest.approx(720.0, rel=0.01)
    assert totals_s.total() == pytest.approx(96.0 - 0.6, abs=0.8)
    standard_error = (0.75 * 0.25 / samples) ** 0.5
    assert totals_s[11] / totals_s.total() == pytest.approx(0.75, abs=4 * standard_error)


def test_the_first_window_begins_with_the_source(tmp_path: Path) -> None:
    """What was before the discovery is nobody's business, though the driver still has it."""
    with rig(
        tmp_path, gpu(Process(11, busy=(Busy(0, 20, 80.0),)), Process(12, busy=(Busy(20, 30, 40.0),)))
    ) as machine:
        machine.at(20.0).discover()
        (window,) = poll(machine, 21.01)
    assert window["busy_s"] == {"12": pytest.approx(0.4, abs=0.01)}
    assert window["span"] == [1020.0, 1021.01]


def test_idle_is_no_failure(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(Process(11))) as machine:
        machine.discover()
        for window in poll(machine, 1.0, 2.0, 60.0):
            assert (window["busy_s"], window["unknown_busy_s"], window["sampled"]) == ({}, 0, True)
            assert window["holders"] == [11]


def test_work_after_idleness_is_not_diluted_away(tmp_path: Path) -> None:
    """A tenth of a second after a minute of nothing would round to 0 % of ten seconds' samples."""
    with rig(tmp_path, gpu(Process(11, busy=(Busy(60.2, 60.3, 99.0),)))) as machine:
        machine.discover()
        windows = poll(machine, *each_second(61))
    assert sums_s(windows)[11] == pytest.approx(0.099, abs=0.035)
    assert [bool(window["busy_s"]) for window in windows] == [False] * 60 + [True]


def test_work_that_ends_before_the_poll_keeps_its_length(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(Process(11, busy=(Busy(0, 1.0, 60.0),)))) as machine:
        machine.discover()
        windows = poll(machine, 4.01, 8.01)
    assert sums_s(windows)[11] == pytest.approx(0.6, abs=0.04)


def test_a_ring_of_ten_seconds_stands_for_a_longer_window(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(Process(11, busy=30.0))) as machine:
        machine.discover()
        (window,) = poll(machine, 60.01)
    assert window["busy_s"] == {"11": pytest.approx(18.0, abs=0.1 + HALF * 60)}
    assert window["samples"] == 60


def test_garbage_rows_count_for_nothing(tmp_path: Path) -> None:
    sampler = Sampler("each", garbage_rows=3, zero_rows=True)
    with rig(tmp_path, gpu(Process(11, busy=50.0), sampler=sampler)) as machine:
        machine.discover()
        windows = poll(machine, *each_second(10))
    assert sums_s(windows) == {11: pytest.approx(5.0, abs=0.02 + HALF * 10)}
    assert sum(window["unknown_busy_s"] for window in windows) == 0


def test_more_rows_than_there_is_room_for(tmp_path: Path) -> None:
    sampler = Sampler("each", sizing_success=True, garbage_rows=900)
    with rig(tmp_path, gpu(Process(11, busy=50.0), sampler=sampler)) as machine:
        machine.discover()
        assert sums_s(poll(machine, *each_second(3))) == {11: pytest.approx(1.5, abs=0.02)}


def test_rows_of_the_future_do_not_move_the_cursor(tmp_path: Path) -> None:
    sampler = Sampler("each", garbage_rows=1, garbage_stamp_us=2**63)
    with rig(tmp_path, gpu(Process(11, busy=50.0), sampler=sampler)) as machine:
        machine.discover()
        assert sums_s(poll(machine, *each_second(10))) == {11: pytest.approx(5.0, abs=0.02 + HALF * 10)}


def test_strangers_are_counted_apart(tmp_path: Path) -> None:
    crowd = (Process(11, busy=40.0), Process(UNKNOWN, busy=20.0), Process(UNKNOWN + 1, busy=10.0))
    with rig(tmp_path, gpu(*crowd)) as machine:
        machine.discover()
        windows = poll(machine, *each_second(4))
    assert sums_s(windows) == {11: pytest.approx(1.6, abs=0.01 + HALF * 4)}
    assert sum(window["unknown_busy_s"] for window in windows) == pytest.approx(1.2, abs=0.01 + HALF * 8)
    assert [(window["holders"], window["unknown_holders"]) for window in windows] == [([11], 2)] * 4


def test_holders_are_of_both_lists_once(tmp_path: Path) -> None:
    crowd = (
        Process(11, kinds=("compute", "mps")),
        Process(12, kinds=("mps",)),
        Process(13, kinds=("graphics",)),
        Process(14, 2.0, 3.0),
        Process(UNKNOWN, kinds=("compute", "mps")),
    )
    with rig(tmp_path, gpu(*crowd)) as machine:
        machine.discover()
        windows = poll(machine, 1.0, 2.5, 4.0)
    assert [window["holders"] for window in windows] == [[11, 12], [11, 12, 14], [11, 12]]
    assert [window["unknown_holders"] for window in windows] == [1, 1, 1]


def test_a_driver_without_mps_lists_lists_the_rest(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(Process(11), faults=not_supported(MPS))) as machine:
        machine.discover()
        (window,) = poll(machine, 1.0)
    assert (window["holders"], window["unknown_holders"]) == ([11], 0)


def test_a_driver_without_lists_never_passes_for_bare(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(Process(11, busy=50.0), faults=not_supported(COMPUTE, MPS))) as machine:
        machine.discover()
        (window,) = poll(machine, 1.01)
    assert (window["holders"], window["unknown_holders"]) == ([], 1)
    assert window["busy_s"] == {"11": pytest.approx(0.5, abs=0.01)}


@pytest.mark.parametrize("variant", ["full", "no-utilization"])
def test_mig_and_old_drivers_cannot_say_who_works(tmp_path: Path, variant: str) -> None:
    mig = "on" if variant == "full" else "off"
    with rig(tmp_path, gpu(Process(11, busy=50.0, instance=7), mig=mig), variant=variant) as machine:
        machine.discover()
        for window in poll(machine, 1.01, 2.01):
            assert (window["busy_s"], window["sampled"], window["samples"]) == ({}, False, 0.0)
            assert window["holders"] == [11]


def test_mig_may_be_switched_off(tmp_path: Path) -> None:
    rules = (FaultRule(PLAIN, 0, 30.0, code=3), FaultRule(WIDE, 0, 30.0, code=3))
    with rig(tmp_path, gpu(Process(11, busy=50.0), faults=rules)) as machine:
        machine.discover()
        windows = poll(machine, *each_second(32))
    assert [window["sampled"] for window in windows] == [False] * 29 + [True] * 3
    assert windows[-1]["busy_s"] == {"11": pytest.approx(0.5, abs=0.01)}


@pytest.mark.parametrize("function", [PLAIN, COMPUTE, MPS])
def test_a_failed_window_is_closed(tmp_path: Path, function: str) -> None:
    """Its energy went unattributed; its samples must not be charged to the energy of the next one."""
    rule = FaultRule(function, 2.0, 3.0, code=10)
    crowd = (Process(11, busy=(Busy(0, 2.5, 80.0),)), Process(12, busy=(Busy(2.5, 100, 40.0),)))
    with rig(tmp_path, gpu(*crowd, faults=(rule,))) as machine:
        machine.discover()
        poll(machine, 1.01)
        failure = machine.at(2.51).failure("collect")
        (window,) = poll(machine, 3.51)
    assert (failure.kind, failure.reason) == ("SensorFailedError", "read_failed")
    assert window["span"] == [1002.51, 1003.51]
    assert window["busy_s"] == {"12": pytest.approx(0.4, abs=0.4 * SAMPLE_S + 0.01)}


def test_a_window_costs_few_calls(tmp_path: Path) -> None:
    with rig(tmp_path, gpu(*TRIO)) as machine:
        machine.discover()
        machine.at(5.0)
        calls = machine.calls_of("collect")
    assert calls == Counter(
        {
            f"{PLAIN} 0": 1,
            f"{COMPUTE[:-1]}3 0": 1,
            f"{MPS[:-1]}3 0": 1,
        }
    )
