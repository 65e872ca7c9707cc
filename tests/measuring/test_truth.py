"""`aipower.measure` in programs of their own, against a driver whose true energy is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fake_driver.build import library
from fake_driver.presets import h100
from fake_driver.script import Busy, Machine, Process, Sampler, Segment, Square, pid_in
from run.aipower_run import call

PROGRAM = Path(__file__).with_name("program.py")
CLOSE = 0.03
"""A starved machine may stamp a read late."""


def run(folder: Path, case: str, environment: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    command = [sys.executable, str(PROGRAM), case]
    environment = {**os.environ, "AIPOWER_SOCKET": "none", **(environment or {})}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stderr == ""
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_nested_and_concurrent_measurements_have_the_true_energy(tmp_path: Path) -> None:
    mine = Process(pid_in(tmp_path / "pid"), busy=(Busy(0, 1000, 80.0),), only_alive=True)
    shapes = (Segment(0.0, 1000.0, 150.0), Square(1.0, 60.0, 100.0, 0.31, 0.4))
    gpu = replace(h100(0, shapes=shapes), processes=(mine,), sampler=Sampler("each"))
    machine = Machine((gpu,))
    environment = machine.environment(library("full"), machine.write(tmp_path / "machine.txt"))
    outer, inner, beside = run(tmp_path, "nested", environment)
    for found in (outer, inner, beside):
        start_s = found["started_unix_s"] - machine.wall_offset_s - machine.t0_s
        truth_j = gpu.true_energy_j(start_s, start_s + found["wall_s"])
        (device,) = found["devices"]
        assert device["energy_j"] == pytest.approx(truth_j, rel=CLOSE), found["name"]
        low_j, high_j = device["interval_j"]
        assert low_j < truth_j < high_j
        assert found["complete"], found["why"]
    assert inner["wall_s"] < beside["wall_s"] < outer["wall_s"]


def test_a_forked_child_that_leaves_the_block(tmp_path: Path) -> None:
    parent, child = run(tmp_path, "forked")
    assert parent["complete"]
    assert parent["energy_j"]["total"] is not None
    assert child["energy_j"] is None
    assert "forked child" in child["why"]


def test_a_forked_child_can_measure_itself(tmp_path: Path) -> None:
    (found,) = run(tmp_path, "again")
    assert found["complete"]
    assert found["pid"] == found["child"]


def test_phases_within_the_block(tmp_path: Path) -> None:
    (found,) = run(tmp_path, "phases")
    paths = {tuple(phase["path"]): phase for phase in found["phases"]}
    assert set(paths) == {("train",), ()}
    train = paths[("train",)]
    assert train["work"] == {"tokens": 500.0}
    assert 0.5 < train["wall_s"] < found["wall_s"]
    assert found["metrics"] == {"accuracy": 0.5}
    assert found["per"][0]["unit"] == "tokens"
    assert sum(phase["energy_j"]["total"] for phase in paths.values()) == pytest.approx(found["energy_j"]["total"])


def test_a_block_within_a_run_has_its_own_record_and_the_run_has_all(tmp_path: Path) -> None:
    done = call(tmp_path, "--no-save", "--sensors", "fake", sys.executable, PROGRAM, "phases")
    (inner,) = json.loads(done.out)
    assert {tuple(phase["path"]) for phase in inner["phases"]} == {("train",), ()}
    assert {tuple(phase["path"]) for phase in done.record["phases"]} == {("around",), ("around", "train"), ()}
    assert inner["work"] == {"tokens": 500.0}
    assert done.record["work"] == {"tokens": 507.0}
    assert inner["wall_s"] < done.record["wall_s"]
    assert (inner["faults"], done.record["faults"]) == ([], [])
