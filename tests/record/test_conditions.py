"""What a run says of the conditions under which its devices worked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aipower.errors import SensorGoneError
from aipower.model import Conditions, Device, DeviceFacts, Reading
from aipower.record.conditions import ConditionLog
from aipower.seams import SensorTraits
from fake_driver.build import library
from fake_driver.presets import h100
from fake_driver.script import Limits, Machine, Process, not_supported
from fakes import GPU, FakeClock, ScriptedSensor
from run.aipower_run import call


class Told:
    """A sensor that tells these conditions, one after the other; None is a device that has left."""

    def __init__(self, *told: Conditions | None, device: Device = GPU) -> None:
        self.device, self.facts, self.traits = device, DeviceFacts(), SensorTraits()
        self._told = list(told)

    def read(self) -> Reading:
        return Reading(0.0, None)

    def close(self) -> None:
        """Nothing is held."""

    def conditions(self) -> Conditions:
        now = self._told.pop(0)
        if now is None:
            raise SensorGoneError("gone")
        return now


def seen(told: Sequence[Conditions | None]) -> Conditions | None:
    sensor, log = Told(*told), ConditionLog()
    for _ in told:
        log.look([sensor, ScriptedSensor(FakeClock(), lambda _: (0, 0.0))])
    return log.summary().get(GPU.id)


def test_the_lowest_limit_the_slowest_state_and_mean_clocks() -> None:
    fast, slow = Conditions(700.0, 0, 2.0e9, 2.6e9), Conditions(500.0, 2, 1.4e9, 2.6e9)
    assert seen([fast, slow, fast]) == Conditions(500.0, 2, 1.8e9, 2.6e9)


def test_what_is_not_said_is_left_out() -> None:
    assert seen([Conditions(None, 0, 1e9), Conditions(400.0, None, None), None]) == Conditions(400.0, 0, 1e9, None)
    assert seen([Conditions()]) == Conditions()
    assert seen([None]) is None


def test_the_record_of_a_run_tells_them(tmp_path: Path) -> None:
    quiet = h100(1, faults=not_supported("nvmlDeviceGetClockInfo"))
    machine = Machine((h100(limits=Limits(200, 700, 700, 450), processes=(Process(1, busy=80.0),)), quiet))
    env = machine.environment(library(), machine.write(tmp_path / "machine.txt"), tmp_path / "log")
    done = call(tmp_path, "sh", "-c", "sleep 2.5", env=env)
    first, second = (row for row in done.record["devices"] if row["kind"] == "gpu")
    assert (first["power_limit_w"], first["performance_state"]) == (450.0, 0)
    assert (first["core_clock_hz"], first["memory_clock_hz"]) == (1980e6, 2619e6)
    assert (second["power_limit_w"], second["core_clock_hz"]) == (700.0, None)
    calls = (tmp_path / "log").read_text().splitlines()
    assert 1 <= calls.count("nvmlDeviceGetEnforcedPowerLimit 0") <= done.record["wall_s"] + 1
