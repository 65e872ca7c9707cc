"""The fake driver takes the time that it is told to, and counts its calls."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from fake_driver.build import library
from fake_driver.cost import CALL_COUNTS, TALLY_VARIABLE, Latency, Tally
from fake_driver.presets import h100
from fake_driver.script import Machine

CALLS = 40
PROGRAM = textwrap.dedent("""
    import statistics, sys, time, pynvml
    pynvml.nvmlInit()
    device = pynvml.nvmlDeviceGetHandleByIndex(0)
    times = []
    for _ in range(int(sys.argv[1])):
        began = time.perf_counter(), time.process_time()
        pynvml.nvmlDeviceGetTotalEnergyConsumption(device)
        times.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    walls_s, cpus_s = zip(*times)
    print(min(walls_s), statistics.median(cpus_s), max(cpus_s))
""")


def run(folder: Path, variables: dict[str, str]) -> tuple[float, float, float]:
    """The least seconds of one call, and the median and the most CPU seconds of one."""
    machine = Machine((h100(),))
    driver = machine.environment(library(), machine.write(folder / "machine.txt"))
    argv = [sys.executable, "-c", PROGRAM, str(CALLS)]
    done = subprocess.run(argv, env={**os.environ, **driver, **variables}, capture_output=True, text=True, check=True)
    wall_s, cpu_s, most_cpu_s = map(float, done.stdout.split())
    return wall_s, cpu_s, most_cpu_s


def test_a_sleeping_driver_takes_time_but_no_cpu(tmp_path: Path) -> None:
    wall_s, cpu_s, _ = run(tmp_path, Latency(5000).environment)
    assert wall_s >= 0.005
    assert cpu_s < 0.0025


def test_a_spinning_driver_takes_both(tmp_path: Path) -> None:
    wall_s, _, most_cpu_s = run(tmp_path, Latency(2000, spin=True).environment)
    assert wall_s >= 0.002
    assert most_cpu_s > 0.001  # the CPU may be taken away in some calls, not in all


def test_calls_are_counted_only_while_the_tally_is_on(tmp_path: Path) -> None:
    tally = Tally(tmp_path / "tally", CALL_COUNTS)
    variables = {TALLY_VARIABLE: str(tally.path), **Latency(100, spin=True).environment}
    run(tmp_path, variables)
    assert tally.read() == {"calls": 0, "cpu_ns": 0}
    tally.switch(on=True)
    run(tmp_path, variables)
    once = tally.read()
    run(tmp_path, variables)
    assert once["calls"] == CALLS + 2  # and nvmlInit and the handle
    assert tally.read()["calls"] == 2 * once["calls"]
    assert once["cpu_ns"] > 0.5 * 100_000 * CALLS


def test_a_tally_that_is_not_there_is_reported_and_costs_nothing_else(tmp_path: Path) -> None:
    machine = Machine((h100(),))
    driver = machine.environment(library(), machine.write(tmp_path / "machine.txt"))
    variables = {**os.environ, **driver, TALLY_VARIABLE: str(tmp_path / "none")}
    argv = [sys.executable, "-c", "import pynvml; pynvml.nvmlInit(); print(pynvml.nvmlDeviceGetCount())"]
    done = subprocess.run(argv, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert "cannot count in" in done.stderr
