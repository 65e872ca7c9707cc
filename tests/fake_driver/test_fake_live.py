"""Scripts that are replaced while the driver is in use, drivers that are loaded anew, and a wall clock that is set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fake_driver.build import strictest
from fake_driver.client import Driver, connect
from fake_driver.presets import h100
from fake_driver.script import Machine, Process, Sampler, Segment, write_clock

INVALID_ARGUMENT, NOT_LOADED, LOST = 2, 9, 15
POWER, COUNT = "nvmlDeviceGetPowerUsage", "nvmlDeviceGetCount"


def clocked(folder: Path, **changes: object) -> Machine:
    return replace(Machine((h100(0), h100(1)), clock=write_clock(folder / "clock", 0.0), live=True), **changes)  # type: ignore[arg-type]  # a test's own fields


def power_w(driver: Driver, gpu: int) -> float:
    return float(driver.call(POWER, gpu)) / 1000


def test_another_script_is_another_machine_and_handles_go_on(tmp_path: Path) -> None:
    machine = clocked(tmp_path)
    with connect(machine, tmp_path, variant=strictest()) as driver:
        assert (driver.call(COUNT), power_w(driver, 1)) == (2, 70.0)
        busy = h100(1, shapes=(Segment(-10, 1000, 100.0),))
        replace(machine, gpus=(busy,)).write(tmp_path / "script")
        assert (driver.call(COUNT), power_w(driver, 1)) == (1, 170.0)
        machine.write(tmp_path / "script")
        assert (driver.call(COUNT), power_w(driver, 1)) == (2, 70.0)


def test_a_gpu_that_is_not_in_the_script_any_more_is_lost(tmp_path: Path) -> None:
    machine = clocked(tmp_path)
    with connect(machine, tmp_path) as driver:
        power_w(driver, 0)
        replace(machine, gpus=machine.gpus[1:]).write(tmp_path / "script")
        assert driver.code(POWER, 0) == LOST


def test_garbage_does_not_replace_a_machine(tmp_path: Path) -> None:
    with connect(clocked(tmp_path), tmp_path) as driver:
        (tmp_path / "script").write_text("garbage\n")
        assert driver.call(COUNT) == 2
        assert "the first line is not" in driver.errors


def test_a_machine_that_is_not_live_stays_as_it_is(tmp_path: Path) -> None:
    machine = clocked(tmp_path, live=False)
    with connect(machine, tmp_path) as driver:
        replace(machine, gpus=()).write(tmp_path / "script")
        assert driver.call(COUNT) == 2


def test_a_driver_that_was_loaded_anew_wants_a_new_session_and_new_handles(tmp_path: Path) -> None:
    machine = clocked(tmp_path)
    with connect(machine, tmp_path) as driver:
        power_w(driver, 0)
        replace(machine, epoch=1).write(tmp_path / "script")
        assert driver.code(COUNT) == driver.code(POWER, 0) == NOT_LOADED
        driver.call("nvmlInit")
        assert driver.code(COUNT) == NOT_LOADED, "it has joined the session of before"
        for _ in range(2):
            driver.call("nvmlShutdown")
        driver.call("nvmlInit")
        assert driver.call(COUNT) == 2
        assert driver.code(POWER, 0) == INVALID_ARGUMENT, "the handle is of the driver of before"


@pytest.mark.parametrize("by_s", [3600.0, -3600.0])
def test_samples_keep_the_stamps_of_their_time(by_s: float, tmp_path: Path) -> None:
    gpu = h100(0, processes=(Process(11, busy=50.0),), sampler=Sampler("each"))
    machine = replace(clocked(tmp_path), gpus=(gpu,), t0_s=0.0, wall_offset_s=1e6, wall_steps=((20.0, by_s),))
    with connect(machine, tmp_path) as driver:
        (before,) = driver.at(19.9).call("nvmlDeviceGetProcessUtilization", 0, 0)
        assert before["timeStamp"] / 1e6 == pytest.approx(1e6 + 19.9, abs=0.2)
        (after,) = driver.at(21.0).call("nvmlDeviceGetProcessUtilization", 0, 0)
        assert after["timeStamp"] / 1e6 == pytest.approx(1e6 + 21 + by_s, abs=0.2)
        newer = driver.code("nvmlDeviceGetProcessUtilization", 0, round((1e6 + 21.5 + by_s) * 1e6))
        assert (newer == 0) == (by_s < 0), "the ring still has samples that are stamped later"
