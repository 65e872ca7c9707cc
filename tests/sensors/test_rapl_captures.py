"""Every recording, planted in full: which devices it has, under whatever root it is looked at."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from aipower.model import Device
from aipower.sensors.rapl import discover
from sensors.powercap import (
    AMD_RANGE_UJ,
    CAPTURES,
    DRAM_RANGE_UJ,
    INTEL_RANGE_UJ,
    FakeClock,
    close_all,
    entries,
    ids,
    open_below,
    plant,
)


def package(zone: str, name: str, socket: int) -> Device:
    return Device(zone, "cpu", name, str(socket))


def dram(zone: str, name: str, socket: int) -> Device:
    return Device(zone, "dram", f"dram of {name}", str(socket), zone.rpartition(":")[0])


EXPECTED: dict[str, list[Device]] = {
    "linux-6.8__intel-core-i7-13700": [package("intel-rapl:0", "package-0", 0)],
    "linux-6.8__intel-mmio-only": [package("intel-rapl-mmio:0", "package-0", 0)],
    "linux-5.15__intel-xeon-gold-6148-x2": [
        package("intel-rapl:0", "package-0", 0),
        dram("intel-rapl:0:0", "package-0", 0),
        package("intel-rapl:1", "package-1", 1),
        dram("intel-rapl:1:0", "package-1", 1),
    ],
    "linux-6.1__amd-epyc-7763-x2": [
        package("intel-rapl:0", "package-0", 0),
        package("intel-rapl:1", "package-1", 1),
    ],
    "linux-5.15__amd-threadripper-1950x": [package("intel-rapl:0", "package-0-die-0", 0)],
    "linux-5.10__intel-xeon-platinum-9242-x2": [
        package("intel-rapl:0", "package-0-die-0", 0),
        dram("intel-rapl:0:0", "package-0-die-0", 0),
        package("intel-rapl:1", "package-0-die-1", 0),
        dram("intel-rapl:1:0", "package-0-die-1", 0),
        package("intel-rapl:2", "package-1-die-0", 1),
        dram("intel-rapl:2:0", "package-1-die-0", 1),
        package("intel-rapl:3", "package-1-die-1", 1),
        dram("intel-rapl:3:0", "package-1-die-1", 1),
    ],
    "linux-6.8__in-a-container": [],
}
AS_USER = "linux-5.15__intel-xeon-gold-6148-as-user"
SERVER = "linux-5.15__intel-xeon-gold-6148-x2"


@pytest.mark.parametrize("capture", EXPECTED)
def test_each_recording_has_its_devices(capture: str, tmp_path: Path) -> None:
    found = discover(plant(capture, tmp_path), FakeClock())
    assert [sensor.device for sensor in found.sensors] == EXPECTED[capture]
    assert not found.usage
    close_all(found)


@pytest.mark.parametrize("capture", EXPECTED)
def test_each_sensor_reads_what_was_recorded(capture: str, tmp_path: Path) -> None:
    found = discover(plant(capture, tmp_path), FakeClock())
    recorded = {path.split("/")[-2]: value for path, value in entries(capture) if path.endswith("/energy_uj")}
    for sensor in found.sensors:
        reading = sensor.read()
        assert reading.counter_uj == int(recorded[sensor.device.id])
        assert reading.power_w is None
        assert reading.method == sensor.facts.method == "counter"
    close_all(found)


@pytest.mark.parametrize("below", ["", "class/powercap", "devices/virtual/powercap", "class/../class/powercap"])
def test_every_root_counts_each_zone_once(below: str, tmp_path: Path) -> None:
    found = discover(plant(SERVER, tmp_path) / below, FakeClock())
    assert ids(found) == ["intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1", "intel-rapl:1:0"]
    close_all(found)


def test_one_control_type_may_be_the_root(tmp_path: Path) -> None:
    root = plant("linux-6.8__intel-core-i7-13700", tmp_path) / "class/powercap/intel-rapl"
    found = discover(root, FakeClock())
    assert ids(found) == ["intel-rapl:0"]
    close_all(found)


def test_the_root_may_be_relative(tmp_path: Path) -> None:
    root = plant(SERVER, tmp_path)
    found = discover(Path(os.path.relpath(root)), FakeClock())
    assert len(found.sensors) == 4
    close_all(found)


def test_wraps_and_bounds_follow_the_zone(tmp_path: Path) -> None:
    found = discover(plant(SERVER, tmp_path), FakeClock())
    traits = {sensor.device.id: sensor.traits for sensor in found.sensors}
    assert traits["intel-rapl:0"].counter_modulus_uj == INTEL_RANGE_UJ + 61
    assert traits["intel-rapl:0:0"].counter_modulus_uj == DRAM_RANGE_UJ + 15
    assert [t.max_power_w for t in traits.values()] == [2000.0, 1000.0, 2000.0, 1000.0]
    assert {t.update_period_s for t in traits.values()} == {0.001}
    close_all(found)


def test_amd_wraps_at_its_own_range(tmp_path: Path) -> None:
    found = discover(plant("linux-6.1__amd-epyc-7763-x2", tmp_path), FakeClock())
    assert [s.traits.counter_modulus_uj for s in found.sensors] == [AMD_RANGE_UJ + 15] * 2
    close_all(found)


def test_facts_name_the_interface(tmp_path: Path) -> None:
    found = discover(plant("linux-6.8__intel-mmio-only", tmp_path), FakeClock())
    assert [sensor.facts.driver for sensor in found.sensors] == ["intel-rapl-mmio"]
    close_all(found)


@pytest.mark.parametrize("capture", EXPECTED)
def test_closing_frees_every_descriptor(capture: str, tmp_path: Path) -> None:
    found = discover(plant(capture, tmp_path), FakeClock())
    assert len(open_below(tmp_path)) == len(EXPECTED[capture])
    close_all(found)
    close_all(found)
    assert open_below(tmp_path) == []


def test_the_expectations_and_the_readme_name_every_recording() -> None:
    recordings = {path.stem for path in CAPTURES.glob("*.txt")}
    assert recordings == {*EXPECTED, AS_USER}
    listed = set(re.findall(r"^\| `(.+)\.txt` \|", (CAPTURES / "README.md").read_text(), re.MULTILINE))
    assert listed == recordings


def test_every_reconstruction_says_so() -> None:
    for path in CAPTURES.glob("*.txt"):
        assert path.read_text().startswith("# reconstructed from the kernel's documentation"), path.name


@pytest.mark.parametrize("capture", ["linux-5.10__intel-xeon-platinum-9242-x2", "linux-6.8__in-a-container"])
def test_the_command_of_the_readme_makes_the_same_recording(capture: str, tmp_path: Path) -> None:
    root = plant(capture, tmp_path)
    (root / "devices/virtual/powercap").mkdir(parents=True, exist_ok=True)
    block = re.search(r"```sh\n(.+?)\n```", (CAPTURES / "README.md").read_text(), re.DOTALL)
    assert block
    command = block[1].replace("sudo ", "").removeprefix("cd /sys && ")
    done = subprocess.run(["sh", "-c", command], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{path}\t{content}" for path, content in entries(capture)]
