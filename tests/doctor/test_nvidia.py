"""The NVIDIA driver as a whole: modules that answer from a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipower.doctor import nvidia
from aipower.doctor.finding import Result
from aipower.doctor.world import World
from doctor.worlds import FakeNvml, link, make_world, nvml_is, put, raises, versions

LIBRARY_NOT_FOUND, DRIVER_NOT_LOADED, NO_PERMISSION, MISMATCH = 12, 9, 4, 18


def with_init_code(tmp_path: Path, code: int) -> World:
    return make_world(tmp_path, load_nvml=nvml_is(FakeNvml({"nvmlInit": code})))


def plant_card(world: World, address: str, vendor: str = "0x10de", kind: str = "0x030200") -> Path:
    folder = world.sysfs / "bus/pci/devices" / address
    put(folder / "vendor", f"{vendor}\n")
    put(folder / "class", f"{kind}\n")
    return folder


def follower(result: Result) -> Result:
    (check,) = result.then
    assert check.id == "nvml"
    return check.ask()


@pytest.mark.parametrize("code", [LIBRARY_NOT_FOUND, DRIVER_NOT_LOADED])
def test_machine_without_gpu_is_a_warning(tmp_path: Path, code: int) -> None:
    result = nvidia.driver(with_init_code(tmp_path, code))
    assert result.verdict == "warn"
    assert result.found.startswith("no NVIDIA GPU: ")
    assert "GPU energy is not measured" in result.found
    assert result.remedy
    assert follower(result).verdict == "skip"


@pytest.mark.parametrize("code", [LIBRARY_NOT_FOUND, DRIVER_NOT_LOADED])
def test_gpu_without_a_driver_fails(tmp_path: Path, code: int) -> None:
    world = with_init_code(tmp_path, code)
    plant_card(world, "0000:07:00.0")
    plant_card(world, "0000:08:00.0", kind="0x030000")
    result = nvidia.driver(world)
    assert result.verdict == "fail"
    assert "the PCI bus has 2 NVIDIA GPUs" in result.found
    assert ("--gpus all" if code == LIBRARY_NOT_FOUND else "modprobe nvidia") in result.remedy


def test_what_is_no_gpu_of_ours_does_not_count(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    plant_card(world, "0000:00:02.0", vendor="0x8086")
    plant_card(world, "0000:07:00.1", kind="0x040300")
    link(plant_card(world, "0000:08:00.0") / "driver", "../../../drivers/vfio-pci")
    put(world.sysfs / "bus/pci/devices/0000:09:00.0/class", "0x030000\n")
    assert nvidia.nvidia_cards(world.sysfs) == 0
    link(plant_card(world, "0000:0a:00.0") / "driver", "../../../drivers/nvidia")
    assert nvidia.nvidia_cards(world.sysfs) == 1


@pytest.mark.parametrize(("code", "words"), [
    (NO_PERMISSION, "/dev/nvidiactl"), (MISMATCH, "reboot"), (999, "container"), (77, "nvidia-smi"),
])  # fmt: skip
def test_broken_driver_fails_with_its_remedy(tmp_path: Path, code: int, words: str) -> None:
    result = nvidia.driver(with_init_code(tmp_path, code))
    assert result.verdict == "fail"
    assert words in result.remedy


def test_module_that_cannot_be_imported(tmp_path: Path) -> None:
    result = nvidia.driver(make_world(tmp_path, load_nvml=raises(ImportError("no pynvml"))))
    assert result.verdict == "fail"
    assert "no pynvml" in result.found
    assert "pip install" in result.remedy
    assert follower(result).verdict == "skip"


def test_driver_without_gpus_is_a_warning(tmp_path: Path) -> None:
    module = FakeNvml(nvmlSystemGetDriverVersion=b"570.1", nvmlSystemGetNVMLVersion=b"12.570.1")
    result = nvidia.driver(make_world(tmp_path, load_nvml=nvml_is(module)))
    assert (result.verdict, result.found) == ("warn", "driver 570.1, 0 GPUs: GPU energy is not measured")
    assert "nvidia-smi -L" in result.remedy
    assert follower(result) == Result("ok", "12.570.1")


def test_driver_that_cannot_count(tmp_path: Path) -> None:
    module = FakeNvml({"nvmlDeviceGetCount": 999})
    result = nvidia.driver(make_world(tmp_path, load_nvml=nvml_is(module)))
    assert result.verdict == "fail"
    assert "no list of GPUs" in result.found
    assert result.remedy
    assert follower(result).verdict == "warn"


def test_driver_check_has_time_to_wake_eight_gpus() -> None:
    assert nvidia.INIT_LIMIT_S >= 8 * 1.5


@pytest.mark.parametrize(("known", "verdict", "words"), [
    ({}, "ok", "nvidia-ml-py 13.1"),
    ({"nvidia_ml_py": ""}, "fail", "not installed"),
    ({"pynvml": "11.5.0"}, "warn", "old package pynvml 11.5.0"),
    ({"pynvml": "13.0.1"}, "ok", "nvidia-ml-py 13.1"),
    ({"pynvml": "strange"}, "ok", "nvidia-ml-py 13.1"),
])  # fmt: skip
def test_bindings(tmp_path: Path, known: dict[str, str], verdict: str, words: str) -> None:
    result = nvidia.bindings(make_world(tmp_path, installed=versions(**known)))
    assert result.verdict == verdict
    assert words in result.found
    assert ("pip" in result.remedy) is (verdict != "ok")
