"""On a machine with a real NVIDIA GPU only: `pytest -m gpu tests/gpu`. Not part of the ordinary run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from run.aipower_run import argv

pytestmark = pytest.mark.gpu
ROOT = Path(__file__).parents[2]

LOOP = """
import time, torch
a = torch.randn(4096, 4096, device="cuda", requires_grad=True)
b = torch.randn(4096, 4096, device="cuda")
optimizer = torch.optim.SGD([a], lr=1e-6)
end = time.monotonic() + 8
while time.monotonic() < end:
    optimizer.zero_grad()
    ((a @ b) ** 2).mean().backward()
    optimizer.step()
    torch.cuda.synchronize()
"""
AROUND = """
import json, subprocess, sys, pynvml
pynvml.nvmlInit()
handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
before = [pynvml.nvmlDeviceGetTotalEnergyConsumption(h) for h in handles]
code = subprocess.run(sys.argv[1:]).returncode
after = [pynvml.nvmlDeviceGetTotalEnergyConsumption(h) for h in handles]
print(json.dumps({"code": code, "energy_j": [(b - a) / 1000 for a, b in zip(before, after)]}))
"""


@pytest.fixture
def _gpu() -> None:
    import pynvml  # noqa: PLC0415 - only on machines with a GPU

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        pytest.skip(f"needs a real NVIDIA GPU: {error}")
    pynvml.nvmlShutdown()


@pytest.mark.usefixtures("_gpu")
def test_a_training_loop_against_the_drivers_own_counter(tmp_path: Path) -> None:
    """The counter's difference spans the wrapper's own start and end too, so it is a little more."""
    pytest.importorskip("torch")
    command = argv("--json", tmp_path / "run.json", sys.executable, "-c", LOOP)
    done = subprocess.run(
        [sys.executable, "-c", AROUND, *command], capture_output=True, text=True, env=dict(os.environ), check=True
    )
    around = json.loads(done.stdout)
    record = json.loads((tmp_path / "run.json").read_text())
    assert around["code"] == 0
    for device, energy_j in zip(record["devices"], around["energy_j"], strict=False):
        if device["kind"] == "gpu":
            idle_w = 150.0
            assert device["energy_j"] <= energy_j * 1.01
            assert device["energy_j"] >= energy_j * 0.99 - 1.0 * idle_w
    assert record["energy_j"]["gpu"] > 0


@pytest.mark.usefixtures("_gpu")
def test_the_experiments_run(tmp_path: Path) -> None:
    """The counter moves about as often as on all cards known, and a load of the experiments' own shows in it."""
    pytest.importorskip("torch")
    target = tmp_path / "results.json"
    words = ["--only", "counter,samples,latency", "--seconds-scale", "0.2", "--json", str(target)]
    subprocess.run([sys.executable, "-m", "benchmarks.gpu", *words], cwd=ROOT, check=True, timeout=110)
    results = {result["name"]: result for result in json.loads(target.read_text())["results"]}
    assert {result["status"] for result in results.values()} == {"done"}
    counter = results["counter"]["data"]
    assert 0.001 < counter["load"]["period_s"] < 1.0
    assert counter["load"]["falls"] == 0
    assert counter["load"]["power_w"] > counter["idle"]["power_w"] + 20
    assert "p99" in results["latency"]["data"]["load"]["nvmlDeviceGetTotalEnergyConsumption"]
