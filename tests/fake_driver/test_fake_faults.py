"""Faults over time: codes, delays, chance and lost devices."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fake_driver.client import connect
from fake_driver.presets import h100
from fake_driver.script import FaultRule, Machine, Process, write_clock

LOST = 15
POWER, ENERGY, FIELDS = (
    "nvmlDeviceGetPowerUsage",
    "nvmlDeviceGetTotalEnergyConsumption",
    "nvmlDeviceGetFieldValues",
)


def clocked(directory: Path, *rules: FaultRule, own: tuple[FaultRule, ...] = ()) -> Machine:
    """Two GPUs; `rules` are for the machine and `own` for its first GPU."""
    gpus = (h100(faults=own, processes=(Process(11, busy=50.0),)), h100(1))
    return Machine(gpus, faults=rules, clock=write_clock(directory / "clock", 0.0))


def test_rule_of_a_gpu_holds_for_a_time_and_for_it_alone(tmp_path: Path) -> None:
    rule = FaultRule("nvmlDeviceGetPower*", 10, 20, code=999)
    with connect(clocked(tmp_path, own=(rule,)), tmp_path) as driver:
        assert [driver.at(now_s).code(POWER, 0) for now_s in (9.9, 10, 19.9, 20)] == [0, 999, 999, 0]
        driver.at(15)
        assert driver.code(POWER, 1) == 0
        assert driver.code(ENERGY, 0) == 0


def test_rule_of_the_machine_holds_for_all(tmp_path: Path) -> None:
    with connect(clocked(tmp_path, FaultRule("*", 10, 20, code=9)), tmp_path) as driver:
        assert driver.code(POWER, 0) == driver.code(POWER, 1) == 0
        driver.at(15)
        functions: list[tuple[str, int | None]] = [(POWER, 0), (POWER, 1), ("nvmlDeviceGetCount", None)]
        assert [driver.code(*each) for each in functions] == [9, 9, 9]
        assert driver.at(25).code(POWER, 0) == 0


def test_driver_that_comes_up_late(tmp_path: Path) -> None:
    machine = clocked(tmp_path, FaultRule("nvmlInit*", 0, 10, code=9))
    with connect(machine, tmp_path, init=False) as driver:
        assert driver.at(5).code("nvmlInit") == 9
        assert driver.at(11).code("nvmlInit") == 0
        assert driver.code(POWER, 0) == 0


def test_first_rule_with_a_code_wins(tmp_path: Path) -> None:
    rules = (FaultRule(POWER, delay_s=0.001), FaultRule(POWER, code=10), FaultRule(POWER, code=4))
    with connect(clocked(tmp_path, own=rules), tmp_path) as driver:
        assert driver.code(POWER, 0) == 10


def test_rule_for_one_field(tmp_path: Path) -> None:
    rule = FaultRule("field/186", 10, 20, code=21)
    with connect(clocked(tmp_path, own=(rule,)), tmp_path) as driver:
        codes = [[field["nvmlReturn"] for field in driver.at(now_s).call(FIELDS, 0, [185, 186])] for now_s in (5, 15)]
    assert codes == [[0, 0], [0, 21]]


def test_rule_for_all_calls_does_not_hit_fields_again(tmp_path: Path) -> None:
    rule = FaultRule("*", code=10, probability=0.5)
    with connect(clocked(tmp_path, own=(rule,)), tmp_path) as driver:
        for step in range(60):
            driver.at(step * 0.9173)
            if driver.code(FIELDS, 0, [83]) == 0:
                assert driver.call(FIELDS, 0, [83, 186])[1]["nvmlReturn"] == 0


@pytest.mark.parametrize("probability", [0.0, 0.2, 1.0])
def test_probability(tmp_path: Path, probability: float) -> None:
    rule = FaultRule(POWER, code=10, probability=probability)
    tries = 400
    with connect(clocked(tmp_path, own=(rule,)), tmp_path) as driver:
        failed = sum(driver.at(step * 0.0317).code(POWER, 0) == 10 for step in range(tries))
    assert failed / tries == pytest.approx(probability, abs=0.08)


def test_chance_is_the_same_in_every_process(tmp_path: Path) -> None:
    machine = clocked(tmp_path, own=(FaultRule(POWER, code=10, probability=0.5),))
    outcomes = []
    for _ in range(2):
        with connect(machine, tmp_path) as driver:
            outcomes.append([driver.at(step * 0.0317).code(POWER, 0) for step in range(50)])
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {0, 10}


def test_delay(tmp_path: Path) -> None:
    rules = (FaultRule(POWER, delay_s=0.05), FaultRule("nvmlDeviceGetP*", delay_s=0.03, code=10))
    with connect(clocked(tmp_path, own=rules), tmp_path) as driver:
        assert driver.code("nvmlDeviceGetUUID", 0) == 0
        began_s = time.monotonic()
        assert driver.code(POWER, 0) == 10
        assert time.monotonic() - began_s >= 0.08


def test_reading_is_taken_after_the_delay(tmp_path: Path) -> None:
    """A slow call answers with what the sensor says at its end."""
    gpu = h100(faults=(FaultRule(ENERGY, delay_s=0.3),))
    machine = Machine((gpu,))
    with connect(machine, tmp_path) as driver:
        before_s = machine.now_s()
        counted_j = (driver.call(ENERGY, 0) - gpu.energy.base_mj) / 1000
    assert counted_j >= gpu.true_energy_j(0, before_s + 0.2) - 0.002


def test_lost_gpu(tmp_path: Path) -> None:
    machine = Machine((h100(lost_s=((10, 20),)), h100(1)), clock=write_clock(tmp_path / "clock", 0.0))
    with connect(machine, tmp_path) as driver:
        assert driver.code(POWER, 0) == 0
        driver.at(15)
        calls = (POWER, ENERGY, "nvmlDeviceGetUUID", "nvmlDeviceGetComputeRunningProcesses")
        assert [driver.code(function, 0) for function in calls] == [LOST] * 4
        assert driver.code("nvmlDeviceGetHandleByIndex", None, 0) == LOST
        assert driver.code("nvmlDeviceGetHandleByUUID", None, machine.gpus[0].uuid) == LOST
        assert driver.code(POWER, 1) == 0
        assert driver.at(25).code(POWER, 0) == 0


def test_handle_may_fail_for_one_gpu(tmp_path: Path) -> None:
    rule = FaultRule("nvmlDeviceGetHandleBy*", code=4)
    with connect(clocked(tmp_path, own=(rule,)), tmp_path) as driver:
        assert driver.code("nvmlDeviceGetHandleByIndex", None, 0) == 4
        assert driver.code(POWER, 1) == 0


def test_clock_file_that_is_missing_is_reported(tmp_path: Path) -> None:
    machine = Machine((h100(),), clock=tmp_path / "no clock")
    with connect(machine, tmp_path) as driver:
        driver.call(ENERGY, 0)
        assert "fake nvml: no time in" in driver.errors
