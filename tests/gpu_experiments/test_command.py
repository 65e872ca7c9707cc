"""The command itself, and aipower's part in it, in real time against the scripted driver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu.loads import ROOT
from fake_driver.presets import h100
from fake_driver.script import Busy, Machine, Process, Segment, pid_in
from gpu_experiments.rig import environment

PRODUCT = Path(__file__).with_name("product_child.py")


def call(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`python -m benchmarks.gpu words...`."""
    argv = [sys.executable, "-m", "benchmarks.gpu", *words]
    return subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)


def test_results_are_printed_and_kept(tmp_path: Path) -> None:
    target = tmp_path / "results.json"
    env = environment(Machine((h100(),)), tmp_path)
    done = call("--only", "samples,integral", "--seconds-scale", "0.02", "--json", str(target), env=env)
    assert done.returncode == 0, done.stderr
    kept = json.loads(target.read_text())
    assert (kept["schema"], kept["gpu"], kept["driver"]) == (
        "aipower.gpu-experiments/1",
        "NVIDIA H100 80GB HBM3",
        "570.86.15",
    )
    assert {"date", "nvml", "torch", "aipower", "python", "kernel"} < set(kept)
    assert [result["name"] for result in kept["results"]] == ["samples", "integral"]
    assert "## 12 Counter against integral of power" in done.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--only", "typo"], "no experiment typo"),
        (["--seconds-scale", "0"], "above 0"),
        (["--json", "/nonexistent/file"], "No such file"),
    ],
)
def test_a_wrong_command_line_costs_nothing(words: Sequence[str], complaint: str) -> None:
    done = call(*words)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_list_needs_no_gpu() -> None:
    done = call("--list")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 12


def test_without_a_driver_one_line_says_so(tmp_path: Path) -> None:
    env = {**environment(Machine(()), tmp_path), "AIPOWER_FAKE_NVML": str(tmp_path / "missing")}
    done = call("--only", "samples", env=env)
    assert done.returncode == 1
    assert "no NVIDIA driver answers" in done.stderr
    assert "Traceback" not in done.stderr


def product(folder: Path, what: str, machine: Machine) -> Any:
    """What `product_child.py` found."""
    env = {**os.environ, **environment(machine, folder), "PID_FILE": str(folder / "pid")}
    done = subprocess.run(
        [sys.executable, str(PRODUCT), what], env=env, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_agent_watches_and_ends(tmp_path: Path) -> None:
    blocks = product(tmp_path, "watching", Machine((h100(),)))
    assert [letter for letter, _ in blocks] == ["A", "B"]
    assert [power_w for _, power_w in blocks] == pytest.approx([70, 70], rel=0.05)


def test_a_job_is_metered_by_aipower_run(tmp_path: Path) -> None:
    """How much it gets is the product's own affair: the card may have been at work before the job came."""
    job = Process(pid_in(tmp_path / "pid"), busy=(Busy(-1e6, 1e6, 100.0),), only_alive=True)
    machine = Machine((h100(shapes=(Segment(0, 1e4, 300.0),), processes=(job,)),))
    found = product(tmp_path, "pair", machine)
    assert 0 <= found["run_j"] <= found["device_j"]
    low_j, high_j = found["interval_j"]
    assert low_j <= found["run_j"] <= high_j
    assert found["report"]["products"] > 0
