"""The agent applies calibrations, and does not start on a broken one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aipower.calibration.entry import Entry
from aipower.calibration.file import VARIABLE, save_entry
from daemon.agents import agent, total
from fake_driver.build import library
from fake_driver.presets import rtx4090
from fake_driver.script import Machine, Segment

CARD = rtx4090(0, gain=1.044, offset_w=-22.6, shapes=(Segment(0.0, 1000.0, 275.0),))
POWER, ENERGY = "aipower_device_power_watts", "aipower_device_energy_joules_total"


def test_its_power_and_energy_are_the_true_ones(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    save_entry(file, CARD.uuid, Entry(1 / 1.044, 22.6 / 1.044, 0.0005, 0.1, 0.0, 0.1, 8, (3.5, 450.0), "board 7"))
    machine = Machine((CARD,))
    env = machine.environment(library("full"), machine.write(tmp_path / "machine.txt")) | {VARIABLE: str(file)}
    with agent(tmp_path, "--interval-s", "0.2", env=env) as running:
        running.until(f"{POWER}{{")
        running.until(f"{ENERGY}{{")
        assert total(running.series(), POWER, device=CARD.uuid) == pytest.approx(300.0, rel=0.005)


def test_a_broken_file_is_one_line_and_2(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    file.write_text("no calibration")
    code = "from aipower.cli import entry_point; entry_point()"
    argv = [sys.executable, "-c", code, "agent", "--sensors", "fake", "--listen", "127.0.0.1:0"]
    environment = {**os.environ, VARIABLE: str(file)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("aipower")
    assert f"{file} is no calibration file" in done.stderr
    assert done.stderr.count("\n") == 1
