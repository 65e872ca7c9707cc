"""A session with the driver that several threads use, and one GPU among others that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from aipower.errors import SensorUnavailableError
from aipower.seams import SystemClock
from aipower.sensors.nvml.discovery import Opened, discover
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.offthread import HungError, hanging, off_thread
from aipower.sensors.openings import Openings
from sensors.nvml.standin import DEFAULTS, Standin, resolve

LIMIT_S = 30.0
CLOCK = SystemClock()


class Gate:
    """A function of pynvml that hangs for GPU 1 until it is let go."""

    def __init__(self, name: str) -> None:
        self.release = threading.Event()
        self._name = name

    def __call__(self, handle: int, *arguments: Any) -> Any:
        if handle == 1:
            assert self.release.wait(LIMIT_S)
        if self._name == "nvmlDeviceGetUUID":
            return f"GPU-{handle}"
        return DEFAULTS[self._name](handle, *arguments)


def driver_of(gate: Gate, name: str) -> Standin:
    answers: dict[str, Callable[..., Any] | None] = {
        "nvmlDeviceGetCount": lambda: 3,
        "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
    }
    return Standin({**answers, name: gate})


def until_quiet() -> None:
    deadline_s = time.monotonic() + LIMIT_S
    while hanging():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


@pytest.mark.parametrize(
    "name",
    ["nvmlDeviceGetHandleByIndex", "nvmlDeviceGetUUID", "nvmlDeviceGetName", "nvmlDeviceGetFieldValues"],
)
def test_one_that_hangs_while_it_is_opened_does_not_hide_the_others(name: str) -> None:
    gate, openings = Gate(name), Openings[Opened](patience_s=0.2)
    nvml = driver_of(gate, name)
    found = discover(nvml, resolve, CLOCK, opener=openings.run)
    assert [sensor.device.index for sensor in found.sensors] == ["0", "2"]
    assert [(missing.source, bool(missing.remedy)) for missing in found.unavailable] == [("GPU 1", True)]
    known = [sensor.device.id for sensor in found.sensors]
    again = discover(nvml, resolve, CLOCK, known=known, opener=openings.run)
    assert (list(again.sensors), [missing.source for missing in again.unavailable]) == ([], ["GPU 1"])
    gate.release.set()
    until_quiet()
    late = discover(nvml, resolve, CLOCK, known=known, opener=openings.run)
    assert [sensor.device.id for sensor in late.sensors] == ["GPU-1"]
    assert late.sensors[0].read().counter_uj == 5_000_000
    for sensor in (*found.sensors, *late.sensors):
        sensor.close()
    assert nvml.calls["nvmlInit"] == nvml.calls["nvmlShutdown"] == 3


def test_whoever_can_wait_waits() -> None:
    gate = Gate("nvmlDeviceGetUUID")
    gate.release.set()
    found = discover(driver_of(gate, "nvmlDeviceGetUUID"), resolve, CLOCK)
    assert [sensor.device.id for sensor in found.sensors] == ["GPU-0", "GPU-1", "GPU-2"]
    assert hanging() == ()


def test_the_session_does_not_end_under_a_call_that_hangs() -> None:
    gate = Gate("nvmlDeviceGetFieldValues")
    gate.release.set()
    nvml = driver_of(gate, "nvmlDeviceGetFieldValues")
    found = off_thread(discover(nvml, resolve, CLOCK), CLOCK, patience_s=0.1)
    gate.release.clear()
    with pytest.raises(HungError):
        found.sensors[1].read()
    for sensor in found.sensors:
        sensor.close()
    assert nvml.calls["nvmlShutdown"] == 0, "the driver is left alone while it is in a call"
    gate.release.set()
    until_quiet()
    deadline_s = time.monotonic() + LIMIT_S
    while nvml.calls["nvmlShutdown"] == 0:
        assert time.monotonic() < deadline_s
    assert nvml.calls["nvmlShutdown"] == 1


def test_users_are_counted_right_by_many_threads() -> None:
    nvml = Standin()
    driver = Driver(nvml)
    driver.open()

    def use() -> None:
        for _ in range(500):
            driver.retain()
            with driver.held():
                driver.release()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert nvml.calls["nvmlShutdown"] == 0
    driver.release()
    assert nvml.calls["nvmlShutdown"] == 1
    with pytest.raises(SensorUnavailableError), driver.held():
        pass
