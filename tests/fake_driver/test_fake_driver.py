"""Lifecycle, identity and variants of the fake driver, as the real pynvml sees them."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from fake_driver.client import NvmlFailureError, connect
from fake_driver.presets import a100, h100, rtx4090, v100
from fake_driver.script import Limits, Machine, Process, write_clock

UNINITIALIZED, INVALID_ARGUMENT, NOT_SUPPORTED, NOT_FOUND = 1, 2, 3, 6
FUNCTION_NOT_FOUND, LIBRARY_MISMATCH = 13, -1


def test_versions(tmp_path: Path) -> None:
    machine = Machine(driver="535.104.05", nvml="12.535.104.05", cuda=12020)
    with connect(machine, tmp_path) as driver:
        assert driver.call("nvmlSystemGetDriverVersion") == "535.104.05"
        assert driver.call("nvmlSystemGetNVMLVersion") == "12.535.104.05"
        assert driver.call("nvmlSystemGetCudaDriverVersion") == 12020
        assert driver.call("nvmlSystemGetCudaDriverVersion_v2") == 12020
        assert driver.call("nvmlDeviceGetCount") == 0


def test_identity_of_each_gpu(tmp_path: Path) -> None:
    gpus = (h100(), a100(1), v100(2), rtx4090(3))
    with connect(Machine(gpus), tmp_path) as driver:
        assert driver.call("nvmlDeviceGetCount") == len(gpus)
        for index, gpu in enumerate(gpus):
            assert driver.call("nvmlDeviceGetUUID", index) == gpu.uuid
            assert driver.call("nvmlDeviceGetName", index) == gpu.name
            assert driver.call("nvmlDeviceGetArchitecture", index) == gpu.architecture
            assert driver.call("nvmlDeviceGetIndex", index) == index
            assert driver.call("nvmlDeviceGetMinorNumber", index) == gpu.minor
            assert driver.call("nvmlDeviceGetPersistenceMode", index) == int(gpu.persistence)
            assert driver.call("nvmlDeviceGetAccountingMode", index) == 0


def test_presets_differ_in_uuid_and_address() -> None:
    gpus = [preset(number) for preset in (h100, a100, v100, rtx4090) for number in range(8)]
    assert len({gpu.uuid for gpu in gpus}) == len(gpus)
    assert len({gpu.pci_bus_id for gpu in gpus}) == 8


def test_pci_address(tmp_path: Path) -> None:
    gpu = h100(pci_bus_id="00010000:C1:02.3", pci_subsystem_id=0x16C110DE)
    with connect(Machine((gpu,)), tmp_path) as driver:
        info = driver.call("nvmlDeviceGetPciInfo", 0)
    assert (info["domain"], info["bus"], info["device"]) == (0x10000, 0xC1, 2)
    assert (info["pciDeviceId"], info["pciSubSystemId"]) == (0x233010DE, 0x16C110DE)
    assert (info["busId"], info["busIdLegacy"]) == ("00010000:C1:02.3", "0000:C1:02.3")


def test_limits_in_milliwatts(tmp_path: Path) -> None:
    gpu = h100(limits=Limits(200, 700, 650, 500.5))
    with connect(Machine((gpu,)), tmp_path) as driver:
        assert driver.call("nvmlDeviceGetPowerManagementLimit", 0) == 500_500
        assert driver.call("nvmlDeviceGetEnforcedPowerLimit", 0) == 500_500
        assert driver.call("nvmlDeviceGetPowerManagementDefaultLimit", 0) == 650_000
        assert driver.call("nvmlDeviceGetPowerManagementLimitConstraints", 0) == [200_000, 700_000]


def test_limits_may_be_unsupported(tmp_path: Path) -> None:
    with connect(Machine((h100(limits=Limits(0, 0, 0, 0)),)), tmp_path) as driver:
        assert driver.code("nvmlDeviceGetPowerManagementLimit", 0) == NOT_SUPPORTED
        assert driver.code("nvmlDeviceGetPowerManagementLimitConstraints", 0) == NOT_SUPPORTED


def test_mig_modes(tmp_path: Path) -> None:
    gpus = (h100(mig="unsupported"), h100(1, mig="off"), h100(2, mig="on"))
    with connect(Machine(gpus), tmp_path) as driver:
        assert driver.code("nvmlDeviceGetMigMode", 0) == NOT_SUPPORTED
        assert driver.call("nvmlDeviceGetMigMode", 1) == [0, 0]
        assert driver.call("nvmlDeviceGetMigMode", 2) == [1, 1]
        assert driver.code("nvmlDeviceGetUtilizationRates", 2) == NOT_SUPPORTED


def test_memory_follows_processes(tmp_path: Path) -> None:
    process = Process(os.getpid(), start_s=10, end_s=20, memory_bytes=3 << 30)
    machine = Machine((h100(processes=(process,)),), clock=write_clock(tmp_path / "clock", 0))
    with connect(machine, tmp_path) as driver:
        for now_s, used in ((5, 0), (15, 3 << 30), (25, 0)):
            memory = driver.at(now_s).call("nvmlDeviceGetMemoryInfo", 0)
            assert memory == {"total": 80 << 30, "free": (80 << 30) - used, "used": used}
        version_2 = driver.at(15).call("nvmlDeviceGetMemoryInfo", 0, 0x02000028)
        assert (version_2["used"], version_2["reserved"]) == (3 << 30, 0)


def test_state_clocks_and_temperature(tmp_path: Path) -> None:
    process = Process(7, start_s=10, busy=40.0)
    machine = Machine((h100(processes=(process,)),), clock=write_clock(tmp_path / "clock", 0))
    with connect(machine, tmp_path) as driver:
        assert driver.at(5).call("nvmlDeviceGetPerformanceState", 0) == 8
        assert driver.call("nvmlDeviceGetUtilizationRates", 0)["gpu"] == 0
        assert driver.at(20).call("nvmlDeviceGetPerformanceState", 0) == 0
        assert driver.call("nvmlDeviceGetUtilizationRates", 0)["gpu"] == 40
        assert driver.call("nvmlDeviceGetClockInfo", 0, 1) == 1980
        assert driver.code("nvmlDeviceGetClockInfo", 0, 4) == INVALID_ARGUMENT
        assert driver.call("nvmlDeviceGetTemperature", 0, 0) == 37


def test_handles(tmp_path: Path) -> None:
    gpus = (h100(), h100(1))
    with connect(Machine(gpus), tmp_path) as driver:
        assert driver.code("nvmlDeviceGetHandleByIndex", None, 2) == INVALID_ARGUMENT
        assert driver.code("nvmlDeviceGetHandleByPciBusId", None, "00000000:FF:00.0") == NOT_FOUND
        assert driver.code("nvmlDeviceGetHandleByUUID", None, "GPU-nobody") == NOT_FOUND
        by_uuid = driver.ask("same", function="nvmlDeviceGetHandleByUUID", key=gpus[1].uuid, gpu=1)
        by_address = driver.ask("same", function="nvmlDeviceGetHandleByPciBusId", key=gpus[1].pci_bus_id, gpu=1)
        assert (by_uuid, by_address) == (True, True)
        assert driver.ask("same", function="nvmlDeviceGetHandleByUUID", key=gpus[0].uuid, gpu=1) is False


@pytest.mark.parametrize("handle", [0, 8, 0xDEADBEEF0])
def test_foreign_handles_are_refused(tmp_path: Path, handle: int) -> None:
    with connect(Machine((h100(),)), tmp_path) as driver:
        assert driver.ask("bare", function="nvmlDeviceGetPowerUsage", arguments=[handle, 0]) == INVALID_ARGUMENT


def test_null_answers_are_refused(tmp_path: Path) -> None:
    with connect(Machine((h100(),)), tmp_path) as driver:
        assert driver.ask("bare", function="nvmlDeviceGetCount_v2", arguments=[0]) == INVALID_ARGUMENT
        assert driver.ask("bare", function="nvmlSystemGetDriverVersion", arguments=[0, 80]) == INVALID_ARGUMENT
        assert driver.ask("bare_device", function="nvmlDeviceGetPowerUsage", gpu=0) == INVALID_ARGUMENT
        assert driver.ask("bare_device", function="nvmlDeviceGetTotalEnergyConsumption", gpu=0) == INVALID_ARGUMENT


def test_users_are_counted(tmp_path: Path) -> None:
    with connect(Machine((h100(),)), tmp_path, init=False) as driver:
        driver.call("nvmlInit")
        driver.call("nvmlInit")
        driver.call("nvmlShutdown")
        assert driver.code("nvmlDeviceGetPowerUsage", 0) == 0
        driver.call("nvmlShutdown")
        assert driver.code("nvmlDeviceGetPowerUsage", 0) == UNINITIALIZED
        assert driver.code("nvmlSystemGetDriverVersion") == UNINITIALIZED
        assert driver.code("nvmlShutdown") == UNINITIALIZED
        driver.call("nvmlInit")
        assert driver.code("nvmlDeviceGetPowerUsage", 0) == 0


def test_init_failure(tmp_path: Path) -> None:
    with connect(Machine((h100(),), init_code=9), tmp_path, init=False) as driver:
        assert driver.code("nvmlInit") == 9
        assert driver.code("nvmlDeviceGetCount") == UNINITIALIZED


def test_error_texts(tmp_path: Path) -> None:
    with connect(Machine(), tmp_path) as driver:
        texts = {code: driver.call("nvmlErrorString", None, code) for code in (0, 3, 15, 999, -1)}
    assert texts == {
        0: "Success",
        3: "Not Supported",
        15: "GPU is lost",
        999: "Unknown Error",
        -1: "Unknown Error",
    }


def test_log_of_calls(tmp_path: Path) -> None:
    with connect(Machine((h100(), h100(1))), tmp_path) as driver:
        for _ in range(3):
            driver.call("nvmlDeviceGetPowerUsage", 1)
        assert driver.calls[0] == "nvmlInitWithFlags -"
        assert driver.calls.count("nvmlDeviceGetPowerUsage 1") == 3
        assert driver.calls.count("nvmlDeviceGetPowerUsage 0") == 0


@pytest.mark.parametrize(
    ("variant", "function", "arguments"),
    [
        ("no-fields", "nvmlDeviceGetFieldValues", ([83],)),
        ("no-processes-info", "nvmlDeviceGetProcessesUtilizationInfo", (0,)),
        ("no-utilization", "nvmlDeviceGetProcessUtilization", (0,)),
        ("no-utilization", "nvmlDeviceGetProcessesUtilizationInfo", (0,)),
        ("old", "nvmlDeviceGetComputeRunningProcesses_v3", ()),
        ("old", "nvmlDeviceGetGraphicsRunningProcesses_v3", ()),
        ("old", "nvmlDeviceGetMPSComputeRunningProcesses_v3", ()),
        ("old", "nvmlDeviceGetArchitecture", ()),
    ],
)
def test_variants_lack_symbols(tmp_path: Path, variant: str, function: str, arguments: tuple[object, ...]) -> None:
    with connect(Machine((h100(),)), tmp_path, variant=variant) as driver:
        assert driver.code(function, 0, *arguments) == FUNCTION_NOT_FOUND
        assert driver.code("nvmlDeviceGetPowerUsage", 0) == 0


def test_old_driver_makes_pynvml_raise_something_else(tmp_path: Path) -> None:
    """The names without a version end in an exception that `except NVMLError` does not catch."""
    with connect(Machine((v100(),)), tmp_path, variant="old") as driver:
        assert driver.code("nvmlDeviceGetComputeRunningProcesses", 0) == LIBRARY_MISMATCH


def test_old_variant_keeps_the_second_version_of_lists(tmp_path: Path) -> None:
    machine = Machine((v100(processes=(Process(77),)),))
    with connect(machine, tmp_path, variant="old") as driver:
        assert [row["pid"] for row in driver.call("nvmlDeviceGetComputeRunningProcesses_v2", 0)] == [77]


def test_failures_carry_their_code(tmp_path: Path) -> None:
    with connect(Machine(), tmp_path) as driver, pytest.raises(NvmlFailureError, match="NVML error 2"):
        driver.call("nvmlDeviceGetPowerUsage", 0)


def test_endless_times_survive_the_script() -> None:
    text = Machine((h100(processes=(Process(1, busy=math.pi),)),)).text
    assert "process -inf inf 1 " in text
    assert f"busy -inf inf {math.pi!r}\n" in text
