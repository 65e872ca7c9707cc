"""Power limit, P-state and clocks of one GPU."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from aipower.model import Conditions
from aipower.sensors.nvml.conditions import read_conditions
from aipower.sensors.nvml.driver import Driver
from fake_driver.presets import h100
from fake_driver.script import Busy, FaultRule, Limits, Process, not_supported
from sensors.nvml.rig import rig
from sensors.nvml.standin import Standin

LIMIT, STATE, CLOCK = "nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPerformanceState", "nvmlDeviceGetClockInfo"


def test_conditions_follow_the_work_in_four_calls(tmp_path: Path) -> None:
    gpu = h100(processes=(Process(11, busy=(Busy(10, 20, 50.0),)),), limits=Limits(200, 700, 700, 450))
    with rig(tmp_path, gpu) as machine:
        machine.discover()
        idle = machine.ask("conditions", sensor=0)
        assert machine.at(15.0).ask("conditions", sensor=0)["performance_state"] == 0
        assert machine.calls_of("conditions") == Counter({f"{LIMIT} 0": 1, f"{STATE} 0": 1, f"{CLOCK} 0": 2})
    assert idle == {
        "power_limit_w": 450.0, "performance_state": 8, "core_clock_hz": 1980e6, "memory_clock_hz": 2619e6,
    }  # fmt: skip


@pytest.mark.parametrize("function", [LIMIT, STATE, CLOCK])
def test_what_is_not_supported_is_not_known(tmp_path: Path, function: str) -> None:
    with rig(tmp_path, h100(faults=not_supported(function))) as machine:
        machine.discover()
        values = machine.ask("conditions", sensor=0).values()
    assert list(values).count(None) == (2 if function == CLOCK else 1)


@pytest.mark.parametrize(("code", "kind"), [(3, None), (10, None), (999, None), (15, "SensorGoneError")])
def test_only_a_gpu_that_has_left_is_a_failure(tmp_path: Path, code: int, kind: str | None) -> None:
    with rig(tmp_path, h100(faults=(FaultRule("*", 10.0, code=code),))) as machine:
        machine.discover()
        machine.at(15.0)
        if kind:
            assert machine.failure("conditions").kind == kind
        else:
            assert set(machine.ask("conditions", sensor=0).values()) == {None}


def test_nonsense_is_not_known() -> None:
    answers = {LIMIT: lambda _: 0, STATE: lambda _: 32, CLOCK: lambda *_: 2**32 - 1}
    assert read_conditions(Driver(Standin({**answers})), 0) == Conditions()
    assert read_conditions(Driver(Standin({**answers, LIMIT: lambda _: "no number"})), 0) == Conditions()
