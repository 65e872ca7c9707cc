"""Each GPU's abilities, with the real pynvml and the fake driver in a process of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from doctor.children import report
from fake_driver.presets import a100, h100, rtx4090, v100
from fake_driver.script import EnergyCounter, FaultRule, Machine, Process, not_supported

ALL_YES = "energy counter yes, instant power yes, per-process utilisation yes, process list yes, accounting off"


def test_healthy_cards(tmp_path: Path) -> None:
    cards = (h100(processes=(Process(11, busy=50.0),)), a100(1), v100(2))
    code, checks = report(tmp_path, Machine(cards))
    assert code == 0
    assert checks["nvidia"]["found"] == "driver 570.86.15, 3 GPUs"
    assert checks["nvml"]["found"] == "12.570.86.15"
    for index, (card, family) in enumerate(zip(cards, ("Hopper", "Ampere", "Volta"), strict=True)):
        assert checks[f"gpu-{index}"]["verdict"] == "ok"
        assert checks[f"gpu-{index}"]["found"] == f"{card.name} ({family}, {card.uuid}); {ALL_YES}"
        assert checks[f"gpu-{index}-persistence"]["verdict"] == "ok"
        assert checks[f"gpu-{index}-mig"]["verdict"] == "ok"
    assert checks["gpu-0-mig"]["found"] == "off"
    assert checks["gpu-2-mig"]["found"] == "not supported by this GPU"


def test_order_of_the_report(tmp_path: Path) -> None:
    _, checks = report(tmp_path, Machine((h100(),)))
    assert list(checks) == [
        "python", "kernel", "clock", "pynvml", "nvidia", "nvml", "gpu-0", "gpu-0-persistence", "gpu-0-mig",
        "gpu-0-calibration", "rapl", "calibration", "pid-namespace", "processes", "subreaper", "agent", "runs",
    ]  # fmt: skip


def test_persistence_off_warns_with_the_command_for_this_gpu(tmp_path: Path) -> None:
    code, checks = report(tmp_path, Machine((h100(), rtx4090(1))))
    assert code == 0
    assert checks["gpu-0-persistence"]["verdict"] == "ok"
    assert checks["gpu-1-persistence"]["verdict"] == "warn"
    assert checks["gpu-1-persistence"]["remedy"] == "sudo nvidia-smi -i 1 -pm 1"


def test_accounting_that_is_off_is_a_hint(tmp_path: Path) -> None:
    _, checks = report(tmp_path, Machine((h100(), h100(1, accounting=True))))
    assert "less than a second" in checks["gpu-0"]["remedy"]
    assert "nvidia-smi -i 0 -am 1" in checks["gpu-0"]["remedy"]
    assert (checks["gpu-1"]["verdict"], checks["gpu-1"]["remedy"]) == ("ok", "")


def test_mig_with_a_monitor_of_its_instances_is_well(tmp_path: Path) -> None:
    _, checks = report(tmp_path, Machine((h100(mig="on"),)))
    assert (checks["gpu-0-mig"]["verdict"], checks["gpu-0"]["verdict"]) == ("ok", "ok")
    assert "activity of each instance" in checks["gpu-0-mig"]["found"]
    assert checks["gpu-0"]["remedy"] == ""  # accounting cannot be switched on under MIG


def test_mig_warns_that_processes_cannot_be_told_apart(tmp_path: Path) -> None:
    code, checks = report(tmp_path, Machine((a100(mig="on"),)))
    assert code == 0
    assert checks["gpu-0-mig"]["verdict"] == "warn"
    assert "per-process utilisation is not available" in checks["gpu-0-mig"]["found"]
    assert "-mig 0" in checks["gpu-0-mig"]["remedy"]
    assert checks["gpu-0"]["verdict"] == "warn"
    assert "per-process utilisation no" in checks["gpu-0"]["found"]


def test_card_without_an_energy_counter_warns(tmp_path: Path) -> None:
    code, checks = report(tmp_path, Machine((h100(energy=EnergyCounter(mode="none")),)))
    assert (code, checks["gpu-0"]["verdict"]) == (0, "warn")
    assert "integrated from power" in checks["gpu-0"]["found"]
    assert "energy counter no, instant power yes" in checks["gpu-0"]["found"]


def test_card_without_power_and_energy_warns(tmp_path: Path) -> None:
    faults = not_supported(
        "nvmlDeviceGetFieldValues", "nvmlDeviceGetPowerUsage", "nvmlDeviceGetTotalEnergyConsumption"
    )
    code, checks = report(tmp_path, Machine((h100(faults=faults),)))
    assert (code, checks["gpu-0"]["verdict"]) == (0, "warn")
    assert "cannot be measured" in checks["gpu-0"]["found"]


@pytest.mark.parametrize(("functions", "words"), [
    (("field/186",), "instant power no (plain power"),
    (("field/186", "nvmlDeviceGetPowerUsage"), "instant power no (1 s mean only)"),
    (("nvmlDeviceGetComputeRunningProcesses*",), "process list no"),
    (("nvmlDeviceGetAccountingMode",), "accounting unknown"),
    (("nvmlDeviceGetArchitecture",), "of unknown architecture"),
    (("nvmlDeviceGetUUID",), "no UUID"),
])  # fmt: skip
def test_single_abilities_may_lack(tmp_path: Path, functions: tuple[str, ...], words: str) -> None:
    code, checks = report(tmp_path, Machine((h100(faults=not_supported(*functions)),)))
    assert code == 0
    assert words in checks["gpu-0"]["found"]


@pytest.mark.parametrize("variant", ["old", "no-utilization", "no-fields"])
def test_old_drivers_do_not_fail(tmp_path: Path, variant: str) -> None:
    code, checks = report(tmp_path, Machine((v100(),)), variant)
    assert code == 0
    assert "energy counter yes" in checks["gpu-0"]["found"]
    sampled = "no" if variant == "no-utilization" else "yes"
    assert f"per-process utilisation {sampled}" in checks["gpu-0"]["found"]


def test_lost_gpu_fails_once_and_hides_no_other(tmp_path: Path) -> None:
    code, checks = report(tmp_path, Machine((h100(lost_s=((-1e9, 1e9),)), h100(1))))
    assert code == 1
    assert [each["id"] for each in checks.values() if each["verdict"] == "fail"] == ["gpu-0"]
    assert "dmesg" in checks["gpu-0"]["remedy"]
    assert checks["gpu-0-mig"]["verdict"] == checks["gpu-0-persistence"]["verdict"] == "skip"
    assert checks["gpu-1"]["verdict"] == "ok"


@pytest.mark.parametrize("function", ["nvmlDeviceGetPower*", "nvmlDeviceGetComputeRunningProcesses*"])
def test_call_that_should_work_and_fails_is_a_failure(tmp_path: Path, function: str) -> None:
    faults = (FaultRule(function, code=999), *not_supported("field/186", "field/185"))
    code, checks = report(tmp_path, Machine((h100(faults=faults),)))
    assert (code, checks["gpu-0"]["verdict"]) == (1, "fail")
    assert "NVML 999" in checks["gpu-0"]["found"]
    assert checks["gpu-0"]["remedy"]


def test_process_of_which_the_driver_knows_no_samples(tmp_path: Path) -> None:
    faults = (FaultRule("nvmlDeviceGetProcess*", code=6),)
    _, checks = report(tmp_path, Machine((h100(faults=faults),)))
    assert "per-process utilisation yes" in checks["gpu-0"]["found"]


def test_mode_that_cannot_be_had_is_skipped(tmp_path: Path) -> None:
    faults = (*not_supported("nvmlDeviceGetPersistenceMode"), FaultRule("nvmlDeviceGetMigMode", code=4))
    code, checks = report(tmp_path, Machine((h100(faults=faults),)))
    assert code == 0
    assert checks["gpu-0-persistence"]["verdict"] == checks["gpu-0-mig"]["verdict"] == "skip"
