"""Accounting, MIG instances and their performance monitor of the fake driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fake_driver.client import connect
from fake_driver.presets import a100, h100
from fake_driver.script import Busy, Gpu, Instance, Machine, Process, write_clock

NOT_SUPPORTED, NOT_FOUND, FUNCTION_NOT_FOUND = 3, 6, 13
PIDS, STATS, EXACT = (f"nvmlDeviceGetAccounting{name}" for name in ("Pids", "Stats", "Stats_v2"))


def machine(directory: Path, gpu: Gpu) -> Machine:
    return Machine((gpu,), t0_s=1000.0, wall_offset_s=1.7e9, clock=write_clock(directory / "clock", 0.0))


def accounts(*processes: Process, **changes: Any) -> Gpu:
    return h100(accounting=True, processes=processes, **changes)


def test_accounts_of_the_living_and_the_dead(tmp_path: Path) -> None:
    worker = Process(11, 2.0, 6.0, busy=(Busy(3.0, 5.0, 80.5),))
    with connect(machine(tmp_path, accounts(worker, Process(12, 9.0))), tmp_path) as driver:
        assert driver.call("nvmlDeviceGetAccountingMode", 0) == 1
        assert driver.at(1.0).call(PIDS, 0) == []
        assert driver.at(4.0).call(PIDS, 0) == [11]
        living = driver.call(STATS, 0, 11)
        assert (living["isRunning"], living["time"]) == (1, 0)
        assert driver.at(10.0).call(PIDS, 0) == [11, 12]
        dead, exact = driver.call(STATS, 0, 11), driver.call(EXACT, 0, 11)
        assert driver.code(STATS, 0, 99) == NOT_FOUND
    assert (dead["isRunning"], dead["time"], dead["gpuUtilization"]) == (0, 4000, 40)
    assert dead["startTime"] == (1_700_001_002) * 1_000_000
    assert exact["sumGpuUtil"] / 100 / exact["sampleCount"] == pytest.approx(40.25, abs=0.001)
    assert exact["sampleCount"] == 24


def test_the_driver_keeps_the_last_128_dead(tmp_path: Path) -> None:
    crowd = tuple(Process(1000 + number, 0.0, 1.0 + number / 100) for number in range(200))
    with connect(machine(tmp_path, accounts(*crowd)), tmp_path) as driver:
        assert driver.at(50.0).call(PIDS, 0) == list(range(1072, 1200))


def test_a_pid_that_is_used_again_has_its_last_account(tmp_path: Path) -> None:
    with connect(machine(tmp_path, accounts(Process(11, 0.0, 1.0), Process(11, 3.0, 3.5))), tmp_path) as driver:
        assert driver.at(2.0).call(STATS, 0, 11)["time"] == 1000
        assert driver.at(4.0).call(STATS, 0, 11)["time"] == 500
        assert driver.call(PIDS, 0) == [11]


@pytest.mark.parametrize("gpu", [h100(), accounts(mig="on")])
def test_accounts_may_be_off(tmp_path: Path, gpu: Gpu) -> None:
    with connect(machine(tmp_path, gpu), tmp_path) as driver:
        assert driver.call("nvmlDeviceGetAccountingMode", 0) == 0
        assert [driver.code(PIDS, 0), driver.code(STATS, 0, 1), driver.code(EXACT, 0, 1)] == [NOT_SUPPORTED] * 3


def test_exact_accounts_may_be_missing(tmp_path: Path) -> None:
    with connect(machine(tmp_path, accounts(Process(11))), tmp_path, variant="no-exact-accounts") as driver:
        assert driver.code(EXACT, 0, 11) == FUNCTION_NOT_FOUND


@pytest.mark.parametrize(("gpu", "slots", "monitor"), [(h100(mig="on"), 7, 1), (a100(mig="on"), 7, 0)])
def test_what_a_card_can_be_split_into(tmp_path: Path, gpu: Gpu, slots: int, monitor: int) -> None:
    with connect(machine(tmp_path, gpu), tmp_path) as driver:
        assert driver.call("nvmlDeviceGetMaxMigDeviceCount", 0) == slots
        assert driver.call("nvmlGpmQueryDeviceSupport", 0)["isSupportedDevice"] == monitor
        assert driver.code("nvmlDeviceGetMigDeviceHandleByIndex", 0, 0) == NOT_FOUND


def test_without_mig_there_are_no_instances(tmp_path: Path) -> None:
    with connect(machine(tmp_path, h100(instances=(Instance(1, 4),))), tmp_path) as driver:
        assert driver.code("nvmlDeviceGetMigDeviceHandleByIndex", 0, 0) == NOT_SUPPORTED
