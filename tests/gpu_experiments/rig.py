"""The tests' side of the child: an experiment on a scripted card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.gpu.loads import ROOT
from benchmarks.gpu.seams import LoadSpec
from fake_driver.build import library
from fake_driver.script import Gpu, Machine, write_clock
from gpu_experiments.scripted import BLOCK_S


def environment(machine: Machine, folder: Path) -> dict[str, str]:
    """For a child that sees `machine` and finds benchmarks and tests."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    return {
        **os.environ,
        **machine.environment(library(), machine.write(folder / "script")),
        "PYTHONPATH": paths,
        "AIPOWER_POWERCAP_ROOT": "/nonexistent",
    }


def experiment(
    folder: Path,
    gpu: Gpu,
    name: str,
    specs: Sequence[LoadSpec] = (),
    *,
    scale: float = 1.0,
    block_s: float = BLOCK_S,
    missing: str = "",
) -> dict[str, Any]:
    """The result of the experiment on `gpu`, whose script has the loads `specs` in this order."""
    clock = write_clock(folder / "clock", 0.0)
    machine = Machine((gpu,), clock=clock)
    asked = {
        "name": name,
        "clock": str(clock),
        "unix_zero_s": machine.t0_s + machine.wall_offset_s,
        "specs": [asdict(spec) for spec in specs],
        "scale": scale,
        "block_s": block_s,
        "missing": missing,
    }
    done = subprocess.run(
        [sys.executable, "-m", "gpu_experiments.child", json.dumps(asked)],
        env=environment(machine, folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert isinstance(result, dict)
    assert result["status"] == "done", (result["reason"], done.stderr)
    return result
