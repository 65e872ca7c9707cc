"""Process lists and the process sampler of the fake driver."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fake_driver.client import Driver, connect
from fake_driver.presets import h100
from fake_driver.script import Busy, Machine, Process, Sampler, not_supported, pid_in, write_clock

NOT_SUPPORTED, NOT_FOUND, INSUFFICIENT_SIZE = 3, 6, 7
COMPUTE = "nvmlDeviceGetComputeRunningProcesses"
EACH = Sampler("each")


def machine(directory: Path, *processes: Process, sampler: Sampler = EACH, **changes: Any) -> Machine:
    gpu = h100(processes=processes, sampler=sampler, **changes)
    clock = write_clock(directory / "clock", 0.0)
    return Machine((gpu,), t0_s=1000.0, wall_offset_s=1_700_000_000.0, clock=clock)


def pids(driver: Driver, function: str = COMPUTE) -> list[int]:
    return [row["pid"] for row in driver.call(function, 0)]


def us(scripted: Machine, at_s: float) -> int:
    """The driver's stamp for `at_s`, in Unix microseconds; the driver may round half of one otherwise."""
    return round((scripted.t0_s + scripted.wall_offset_s + at_s) * 1e6)


def stamps(rows: list[dict[str, int]]) -> list[int]:
    return [row["timeStamp"] for row in rows]


def test_lists_follow_time_and_kind(tmp_path: Path) -> None:
    processes = (
        Process(11, 10, 30),
        Process(12, 20, 40, kinds=("compute", "graphics")),
        Process(13, 10, 40, kinds=("mps",)),
    )
    with connect(machine(tmp_path, *processes), tmp_path) as driver:
        assert [pids(driver.at(now_s)) for now_s in (5, 15, 25, 35, 45)] == [[], [11], [11, 12], [12], []]
        assert pids(driver.at(25), "nvmlDeviceGetGraphicsRunningProcesses") == [12]
        assert pids(driver, "nvmlDeviceGetMPSComputeRunningProcesses") == [13]
        assert pids(driver, "nvmlDeviceGetComputeRunningProcesses_v2") == [11, 12]


def test_list_rows(tmp_path: Path) -> None:
    processes = (Process(11, memory_bytes=5 << 30), Process(12, instance=7))
    with connect(machine(tmp_path, *processes), tmp_path) as driver:
        rows = driver.call(COMPUTE, 0)
    none = 0xFFFFFFFF
    assert rows[0] == {"pid": 11, "usedGpuMemory": 5 << 30, "gpuInstanceId": none, "computeInstanceId": none}
    assert (rows[1]["gpuInstanceId"], rows[1]["computeInstanceId"]) == (7, 0)


def test_list_that_does_not_fit(tmp_path: Path) -> None:
    with connect(machine(tmp_path, Process(11), Process(12)), tmp_path) as driver:
        assert driver.ask("compute_list", gpu=0, room=1) == {"code": INSUFFICIENT_SIZE, "count": 2}
        assert driver.ask("compute_list", gpu=0, room=2) == {"code": 0, "count": 2}
        assert driver.ask("compute_list", gpu=0, room=9) == {"code": 0, "count": 2}


def test_pid_from_a_file_that_comes_later(tmp_path: Path) -> None:
    source = tmp_path / "the pid"
    with connect(machine(tmp_path, Process(pid_in(source))), tmp_path) as driver:
        assert pids(driver) == []
        source.write_text(f"{os.getpid()}\n")
        assert pids(driver) == [os.getpid()]
        source.write_text("not a pid")
        assert pids(driver) == []


def test_pid_from_the_environment(tmp_path: Path) -> None:
    process = Process("env:FAKE_DRIVER_PID")
    with connect(machine(tmp_path, process), tmp_path, extra={"FAKE_DRIVER_PID": "4321"}) as driver:
        assert pids(driver) == [4321]
    with connect(machine(tmp_path, process), tmp_path) as driver:
        assert pids(driver) == []


def test_process_that_is_shown_only_while_it_lives(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "300"]) as sleeper:
        process = Process(sleeper.pid, busy=30.0, only_alive=True)
        with connect(machine(tmp_path, process), tmp_path) as driver:
            driver.at(20)
            assert pids(driver) == [sleeper.pid]
            assert driver.utilization(0, 5)["count"] == 1
            sleeper.kill()
            sleeper.wait()
            assert pids(driver) == []
            assert driver.utilization(0, 5)["code"] == NOT_FOUND


def test_utilization_through_pynvml(tmp_path: Path) -> None:
    processes = (Process(11, busy=40.0), Process(12, busy=25.9), Process(13))
    scripted = machine(tmp_path, *processes)
    with connect(scripted, tmp_path) as driver:
        rows = driver.at(20.01).call("nvmlDeviceGetProcessUtilization", 0, 0)
        wide = driver.call("nvmlDeviceGetProcessesUtilizationInfo", 0, 0)
    assert [(row["pid"], row["smUtil"]) for row in rows] == [(11, 40), (12, 25)]
    assert stamps(rows) == pytest.approx([us(scripted, 20.0)] * 2, rel=0, abs=1)
    assert [(row["pid"], row["smUtil"], row["timeStamp"]) for row in wide] == [
        (row["pid"], row["smUtil"], row["timeStamp"]) for row in rows
    ]


def test_sizing_protocol(tmp_path: Path) -> None:
    processes = tuple(Process(pid, busy=10.0) for pid in (11, 12, 13))
    with connect(machine(tmp_path, *processes), tmp_path) as driver:
        driver.at(20)
        sizing = driver.utilization(0, None)
        assert (sizing["code"], sizing["count"]) == (INSUFFICIENT_SIZE, 103)
        tight = driver.utilization(0, 2)
        assert (tight["code"], tight["count"]) == (INSUFFICIENT_SIZE, 3)
        roomy = driver.utilization(0, 50)
        assert (roomy["code"], roomy["count"]) == (0, 3)


def test_rows_are_newer_than_the_last_stamp(tmp_path: Path) -> None:
    scripted = machine(tmp_path, Process(11, busy=50.0))
    with connect(scripted, tmp_path) as driver:
        seen_us = driver.at(20.01).utilization(0, 5)["rows"][0]["timeStamp"]
        assert driver.utilization(0, 5, seen_us)["code"] == NOT_FOUND
        assert driver.code("nvmlDeviceGetProcessUtilization", 0, seen_us) == NOT_FOUND
        assert driver.code("nvmlDeviceGetProcessesUtilizationInfo", 0, seen_us) == NOT_FOUND
        later = driver.at(20.2).utilization(0, 5, seen_us)["rows"]
        assert stamps(later) == pytest.approx([us(scripted, 20 + 1 / 6)], rel=0, abs=1)


def test_average_is_over_all_samples_since_the_last_stamp(tmp_path: Path) -> None:
    """Busy for 2 of the last 10 s: 10 s of samples dilute it, 2 s do not, and its stamp stays behind."""
    process = Process(11, busy=(Busy(12, 14, 90.0),))
    scripted = machine(tmp_path, process)
    with connect(scripted, tmp_path) as driver:
        (whole,) = driver.at(20.01).utilization(0, 5)["rows"]
        assert whole["smUtil"] == 18
        assert whole["timeStamp"] == pytest.approx(us(scripted, 14.0), rel=0, abs=1)
        (part,) = driver.at(14.01).utilization(0, 5, us(scripted, 12.0) + 1)["rows"]
        assert part["smUtil"] == 90


def test_each_process_has_its_own_stamp(tmp_path: Path) -> None:
    processes = (Process(11, busy=(Busy(0, 13, 30.0),)), Process(12, busy=(Busy(0, 17, 30.0),)))
    scripted = machine(tmp_path, *processes)
    with connect(scripted, tmp_path) as driver:
        rows = driver.at(20.01).utilization(0, 5)["rows"]
    assert stamps(rows) == pytest.approx([us(scripted, 13.0), us(scripted, 17.0)], rel=0, abs=1)


def test_ring_forgets_after_ten_seconds(tmp_path: Path) -> None:
    process = Process(11, busy=(Busy(5, 8, 90.0),))
    with connect(machine(tmp_path, process), tmp_path) as driver:
        assert driver.at(17.5).utilization(0, 5)["code"] == 0
        assert driver.at(18.5).utilization(0, 5)["code"] == NOT_FOUND


def test_polling_each_second_sums_to_the_truth(tmp_path: Path) -> None:
    """Each poll truncates by less than one percent of its second, and never adds."""
    process = Process(11, 3.0, 57.0, busy=(Busy(0, 60, 37.5), Busy(10, 40, 44.0, period_s=0.7, duty=0.3)))
    scripted = machine(tmp_path, process)
    polls = range(1, 61)
    busy_percent = 0
    with connect(scripted, tmp_path) as driver:
        for second in polls:
            reply = driver.at(second + 0.01).utilization(0, 5, us(scripted, second - 1) + 1)
            busy_percent += sum(row["smUtil"] for row in reply["rows"])
    true_percent = 100 * process.true_busy_s(0, polls[-1])
    assert true_percent - len(polls) <= busy_percent <= true_percent + 1e-6


def test_first_rows_after_idleness_are_diluted(tmp_path: Path) -> None:
    """The stamp cannot move while nobody works, so the mean that ends it is over all of the idle time too."""
    scripted = machine(tmp_path, Process(11, busy=(Busy(0, 12, 60.0), Busy(17, 40, 60.0))))
    with connect(scripted, tmp_path) as driver:
        seen_us = stamps(driver.at(12.01).utilization(0, 5)["rows"])[0]
        assert driver.at(16.9).utilization(0, 5, seen_us)["code"] == NOT_FOUND
        (row,) = driver.at(18.01).utilization(0, 5, seen_us)["rows"]
    assert row["smUtil"] == 10


def test_engine_is_never_more_than_full(tmp_path: Path) -> None:
    processes = (Process(11, busy=100.0), Process(12, busy=100.0))
    for sampler in (EACH, Sampler("one")):
        with connect(machine(tmp_path, *processes, sampler=sampler), tmp_path) as driver:
            rows = driver.at(20).utilization(0, 5)["rows"]
            assert 98 <= sum(row["smUtil"] for row in rows) <= 100
            assert driver.call("nvmlDeviceGetUtilizationRates", 0)["gpu"] == 100


def poll_named(driver: Driver, seconds: int) -> Counter[int]:
    """Sum of smUtil of each pid over polls of a second."""
    sums: Counter[int] = Counter()
    seen_us = 0
    for second in range(1, seconds + 1):
        for row in (rows := driver.at(second + 0.01).utilization(0, 5, seen_us)["rows"]):
            sums[row["pid"]] += row["smUtil"]
        seen_us = max([seen_us, *(row["timeStamp"] for row in rows)])
    return sums


def test_one_name_per_sample_is_noisy_but_right_on_average(tmp_path: Path) -> None:
    processes = (Process(11, busy=60.0), Process(12, busy=20.0))
    with connect(machine(tmp_path, *processes, sampler=Sampler("one", seed=3)), tmp_path) as driver:
        sums = poll_named(driver, 300)
    # 1800 samples: the share 3/4 has a standard error of 1 %.
    assert sums[11] / sums.total() == pytest.approx(0.75, abs=0.04)
    assert sums.total() / 300 == pytest.approx(80, abs=1.5)


def test_seed_decides_the_names(tmp_path: Path) -> None:
    processes = (Process(11, busy=50.0), Process(12, busy=50.0))
    outcomes = []
    for seed in (1, 1, 2):
        with connect(machine(tmp_path, *processes, sampler=Sampler("one", seed=seed)), tmp_path) as driver:
            outcomes.append(poll_named(driver, 20))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] != outcomes[2]


def test_quirk_sizing_answers_success(tmp_path: Path) -> None:
    sampler = Sampler("each", sizing_success=True)
    with connect(machine(tmp_path, Process(11, busy=50.0), sampler=sampler), tmp_path) as driver:
        sizing = driver.at(20).utilization(0, None)
        assert (sizing["code"], sizing["count"]) == (0, 100)
        assert driver.utilization(0, 100)["count"] == 1
        # pynvml takes the success for a failure.
        assert driver.ask("raised", function="nvmlDeviceGetProcessUtilization", gpu=0) == 0


def test_quirk_zero_rows(tmp_path: Path) -> None:
    sampler = Sampler("each", zero_rows=True)
    with connect(machine(tmp_path, Process(11, busy=50.0), sampler=sampler), tmp_path) as driver:
        reply = driver.at(20).utilization(0, 100)
    assert (reply["code"], reply["count"]) == (0, 100)
    assert [row["pid"] for row in reply["rows"]] == [11] + [0] * 99
    assert {row["timeStamp"] for row in reply["rows"][1:]} == {0}


def test_quirk_garbage_rows(tmp_path: Path) -> None:
    sampler = Sampler("each", garbage_rows=3)
    scripted = machine(tmp_path, Process(11, busy=50.0), sampler=sampler)
    with connect(scripted, tmp_path) as driver:
        rows = driver.at(20.01).call("nvmlDeviceGetProcessUtilization", 0, 0)
    assert (rows[0]["pid"], rows[0]["smUtil"]) == (11, 50)
    assert len(rows) == 4
    assert all(row["smUtil"] > 100 and row["pid"] != 11 for row in rows[1:])
    assert stamps(rows) == pytest.approx([us(scripted, 20.0)] * 4, rel=0, abs=1)


def test_quirk_garbage_stamps(tmp_path: Path) -> None:
    sampler = Sampler("each", garbage_rows=1, garbage_stamp_us=2**63)
    with connect(machine(tmp_path, sampler=sampler), tmp_path) as driver:
        rows = driver.at(20).utilization(0, 5)["rows"]
    assert stamps(rows) == [2**63]


def test_mig_has_no_process_utilization(tmp_path: Path) -> None:
    with connect(machine(tmp_path, Process(11, busy=50.0), mig="on"), tmp_path) as driver:
        driver.at(20)
        assert driver.utilization(0, None)["code"] == NOT_SUPPORTED
        assert driver.utilization(0, 5)["code"] == NOT_SUPPORTED
        assert driver.code("nvmlDeviceGetProcessesUtilizationInfo", 0, 0) == NOT_SUPPORTED
        assert pids(driver) == [11]


def test_utilization_may_be_switched_off(tmp_path: Path) -> None:
    functions = ("nvmlDeviceGetProcessUtilization", "nvmlDeviceGetProcessesUtilizationInfo")
    with connect(machine(tmp_path, Process(11, busy=50.0), faults=not_supported(*functions)), tmp_path) as driver:
        assert [driver.code(function, 0, 0) for function in functions] == [NOT_SUPPORTED, NOT_SUPPORTED]


def test_wrong_version_of_the_list_is_refused(tmp_path: Path) -> None:
    with connect(machine(tmp_path, Process(11, busy=50.0)), tmp_path) as driver:
        assert driver.ask("wrong_version", gpu=0) == 25
