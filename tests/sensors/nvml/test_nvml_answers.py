"""Answers that no driver of ours can give: types of values, versions of pynvml, lists that grow, slow calls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.errors import SensorFailedError, SensorGoneError
from aipower.model import Reading, Usage
from aipower.seams import Sensor, SensorSet
from aipower.sensors.nvml.discovery import discover
from sensors.nvml.standin import (
    UUID,
    FakeClock,
    Row,
    Standin,
    fails,
    field_value,
    fields,
    in_turn,
    process,
    resolve,
    rows,
)

POWER = field_value(70_000, 1, member="uiVal")
FIELDS, ENERGY_CALL = "nvmlDeviceGetFieldValues", "nvmlDeviceGetTotalEnergyConsumption"
COMPUTE, MPS = "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetMPSComputeRunningProcesses_v3"
COMPUTE_V2 = "nvmlDeviceGetComputeRunningProcesses_v2"
NOT_AVAILABLE = 2**64 - 1


def found(clock: FakeClock | None = None, /, **answers: Callable[..., Any] | None) -> SensorSet:
    return discover(Standin(answers), resolve, clock or FakeClock())


def sensor(clock: FakeClock | None = None, /, **answers: Callable[..., Any] | None) -> Sensor:
    (only,) = found(clock, **answers).sensors
    return only


def usage(**answers: Callable[..., Any] | None) -> Usage:
    return found(**answers).usage[UUID].collect()


@pytest.mark.parametrize(
    ("value_type", "member"),
    [(0, "dVal"), (1, "uiVal"), (2, "ulVal"), (3, "ullVal"), (4, "sllVal"), (5, "siVal"), (6, "usVal")],
)
def test_each_type_of_value_is_read_from_its_own_member(value_type: int, member: str) -> None:
    gpu = sensor(nvmlDeviceGetFieldValues=fields(field_value(12_345, value_type, member=member), POWER))
    assert gpu.read() == Reading(1000.0, 12_345_000, 70.0)


@pytest.mark.parametrize(
    ("number", "value_type", "member"),
    [
        (NOT_AVAILABLE, 3, "ullVal"),
        (NOT_AVAILABLE, 2, "ulVal"),
        (2**32 - 1, 1, "uiVal"),
        (2**16 - 1, 6, "usVal"),
        (-1, 4, "sllVal"),
        (-1, 5, "siVal"),
        (-1.0, 0, "dVal"),
        (math.nan, 0, "dVal"),
        (math.inf, 0, "dVal"),
        (7, 7, "ullVal"),
        (7, -1, "ullVal"),
    ],
)
def test_what_is_no_number_is_no_reading(number: float, value_type: int, member: str) -> None:
    """Not at discovery, where the next source takes over, nor later."""
    bad = field_value(number, value_type, member=member)
    other = {"nvmlDeviceGetTotalEnergyConsumption": lambda _: 5}
    assert sensor(nvmlDeviceGetFieldValues=fields(bad, POWER), **other).read().counter_uj == 5000
    turning = in_turn([field_value(1), POWER, field_value(0, code=3)], [bad, POWER])
    assert sensor(nvmlDeviceGetFieldValues=turning).read() == Reading(1000.0, None, 70.0, "integrated")


@pytest.mark.parametrize("answer", [NOT_AVAILABLE, -5, None, "many"])
def test_a_plain_call_that_is_no_number_is_no_source(answer: object) -> None:
    only_calls = {FIELDS: fails(13), ENERGY_CALL: lambda _: answer, "nvmlDeviceGetPowerUsage": lambda _: 60_000}
    gpu = sensor(**only_calls)
    assert gpu.facts.method == "integrated"
    assert gpu.read() == Reading(1000.0, None, 60.0, "integrated")


VALUES = st.builds(
    field_value,
    st.integers(0, 2**64 - 1),
    st.integers(-1, 8),
    st.sampled_from([0, 0, 0, 3, 10, 15, 999]),
)


@given(VALUES, VALUES, VALUES)
def test_whatever_the_fields_hold_there_is_a_possible_reading_or_a_sensor_error(
    energy: Any, power: Any, average: Any
) -> None:
    gpu = sensor(nvmlDeviceGetFieldValues=in_turn([field_value(1), POWER, POWER], [energy, power, average]))
    try:
        reading = gpu.read()
    except (SensorFailedError, SensorGoneError):
        return
    assert (reading.counter_uj, reading.power_w) != (None, None)
    assert reading.counter_uj is None or 0 <= reading.counter_uj < NOT_AVAILABLE * 1000
    assert all(watts is None or 0 <= watts <= 1400 for watts in (reading.power_w, reading.average_w))
    assert reading.method == ("counter" if reading.counter_uj is not None else "integrated")


def test_a_stumble_at_discovery_costs_no_better_source() -> None:
    """The plain call answers at once, but may mean the average of a second."""
    stumble = [field_value(1), field_value(0, code=10), POWER]
    nvml = Standin(
        {
            FIELDS: in_turn(10, stumble, [field_value(1), POWER, POWER]),
            "nvmlDeviceGetPowerUsage": lambda _: 1,
        }
    )
    (gpu,) = discover(nvml, resolve, FakeClock()).sensors
    assert gpu.read().power_w == pytest.approx(70.0)
    assert nvml.calls["nvmlDeviceGetPowerUsage"] == 0


def test_a_slow_read_is_stamped_in_its_middle() -> None:
    clock = FakeClock()
    answer = fields(field_value(1), POWER)

    def slow(handle: Any, wanted: Any) -> Any:
        clock.sleep(0.4)
        return answer(handle, wanted)

    gpu = sensor(clock, nvmlDeviceGetFieldValues=slow)
    before_s = clock.now_s
    assert gpu.read().at_s == pytest.approx(before_s + 0.2)


def test_a_sensor_is_asked_no_more_than_it_must_be() -> None:
    nvml = Standin()
    (gpu,) = discover(nvml, resolve, FakeClock()).sensors
    nvml.calls.clear()
    gpu.read()
    assert nvml.calls == {FIELDS: 1}


@pytest.mark.parametrize(
    "missing",
    [
        "nvmlDeviceGetArchitecture",
        "nvmlSystemGetDriverVersion",
        "nvmlDeviceGetName",
        "nvmlDeviceGetPowerManagementLimitConstraints",
        "nvmlDeviceGetProcessUtilization",
        "nvmlDeviceGetProcessesUtilizationInfo",
        COMPUTE,
        MPS,
    ],
)
def test_a_pynvml_that_lacks_a_function_still_reads(missing: str) -> None:
    machine = found(**{missing: None})
    assert machine.sensors[0].read() == Reading(1000.0, 5_000_000, 70.0)
    assert machine.usage[UUID].collect().busy_s == {}


def test_a_pynvml_that_lacks_fields_reads_by_calls() -> None:
    calls = {FIELDS: None, ENERGY_CALL: lambda _: 9, "nvmlDeviceGetPowerUsage": lambda _: 8000}
    assert sensor(**calls).read() == Reading(1000.0, 9000, 8.0)


@pytest.mark.parametrize("missing", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"])
def test_a_pynvml_that_lacks_the_beginning_finds_nothing(missing: str) -> None:
    machine = found(**{missing: None})
    assert not machine.sensors
    assert missing in machine.unavailable[0].reason


def test_old_versions_answer_in_bytes() -> None:
    names = {"nvmlDeviceGetUUID": lambda _: b"GPU-1", "nvmlDeviceGetName": lambda _: b"Tesla \xff"}
    gpu = sensor(**names, nvmlSystemGetDriverVersion=lambda: b"390.1")
    assert (gpu.device.id, gpu.device.name, gpu.facts.driver) == ("GPU-1", "Tesla \ufffd", "390.1")


@pytest.mark.parametrize("answer", [lambda _: 5, lambda _: ["few", "many"], lambda _: [1]])
def test_limits_in_another_shape_are_no_limits(answer: Callable[..., Any]) -> None:
    gpu = sensor(nvmlDeviceGetPowerManagementLimitConstraints=answer)
    assert gpu.traits.max_power_w == 3000.0


def test_the_list_of_a_mismatched_library_falls_back() -> None:
    def mismatch(_: object) -> Any:
        raise pynvml.NVMLLibraryMismatchError("Unversioned function called")

    answers = {COMPUTE: mismatch, COMPUTE_V2: rows(Row(7)), MPS: mismatch}
    assert usage(**answers).holders == {process(7)}


def test_a_mismatched_start_says_so() -> None:
    def mismatch() -> Any:
        raise pynvml.NVMLLibraryMismatchError("does not match\nthe library")

    (missing,) = found(nvmlInit=mismatch).unavailable
    assert "does not match the library" in missing.reason


def test_an_answer_that_pynvml_cannot_read_is_a_failed_window() -> None:
    def garbled(*_: object) -> Any:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    with pytest.raises(SensorFailedError, match="invalid start byte"):
        usage(**{COMPUTE: garbled})


def test_a_list_that_grows_while_it_is_fetched_is_fetched_again() -> None:
    answers = {COMPUTE: in_turn(7, 7, [Row(5), Row(6)]), MPS: in_turn(7, [Row(6), Row(8)])}
    assert usage(**answers).holders == {process(5), process(6), process(8)}


def test_a_list_that_never_stands_still_is_a_failure() -> None:
    with pytest.raises(SensorFailedError, match="NVML 7"):
        usage(**{COMPUTE: fails(7)})


def test_pid_zero_is_nobody() -> None:
    """vGPU guests list processes that they may not name."""
    seen = usage(**{COMPUTE: rows(Row(0), Row(5))})
    assert seen.holders == {process(5)}
    assert seen.unknown_holders == 0


def test_an_unknown_code_has_a_message() -> None:
    (missing,) = found(nvmlInit=fails(12345)).unavailable
    assert "NVML 12345" in missing.reason


def test_the_session_ends_once_with_the_last_sensor() -> None:
    nvml = Standin({"nvmlDeviceGetCount": lambda: 3, "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}"})
    gpus = discover(nvml, resolve, FakeClock()).sensors
    counts = []
    for gpu in (*gpus, *gpus):
        gpu.close()
        counts.append(nvml.calls["nvmlShutdown"])
    assert counts == [0, 0, 1, 1, 1, 1]
