"""Every kind of sensor is found by a `discover(root=...)`, on any machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aipower.model import Unavailable
from aipower.sensors import fake, nvml, rapl
from fake_driver.build import library
from fake_driver.presets import a100
from fake_driver.script import Machine
from sensors.powercap import put_zone

LOOK = """
import json, sys
from pathlib import Path
from aipower.sensors import nvml
found = nvml.discover(root=Path("/proc"))
readings = [sensor.read() for sensor in found.sensors]
print(json.dumps([[s.device.id, s.device.kind, r.counter_uj > 0] for s, r in zip(found.sensors, readings)]))
"""


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    root = tmp_path / "proc"
    (root / "sys" / "kernel" / "random").mkdir(parents=True)
    (root / "sys" / "kernel" / "random" / "boot_id").write_text("b\n")
    (root / "stat").write_text("cpu  1 0 1 10 0 0 0 0 0 0\nbtime 1\n")
    (root / "uptime").write_text("1.0 1.0\n")
    return root


def test_the_simulated_machine(proc: Path) -> None:
    found = fake.discover(root=proc, gpus=3)
    assert [sensor.device.kind for sensor in found.sensors] == ["gpu", "gpu", "gpu", "cpu", "dram"]
    assert all(sensor.read().counter_uj is not None for sensor in found.sensors)


def test_powercap(tmp_path: Path) -> None:
    put_zone(tmp_path / "intel-rapl:0", "package-0", energy_uj=5)
    (sensor,) = rapl.discover(root=tmp_path).sensors
    assert sensor.read().counter_uj == 5
    sensor.close()


def test_gpus_through_the_driver(tmp_path: Path) -> None:
    machine = Machine((a100(0), a100(1)))
    env = {**os.environ, **machine.environment(library(), machine.write(tmp_path / "machine.txt"))}
    done = subprocess.run([sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[gpu.uuid, "gpu", True] for gpu in machine.gpus]


def test_no_driver_is_said_with_the_remedy(proc: Path) -> None:
    found = nvml.discover(root=proc)
    if found.sensors:
        pytest.skip("this machine has a real NVIDIA driver")
    (missing,) = found.unavailable
    assert isinstance(missing, Unavailable)
    assert missing.remedy
