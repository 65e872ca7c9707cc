"""Whole-device energy of `aipower-run` against the true energy of the scripted driver (needs a C compiler).

    python benchmarks/real_time_accuracy.py [RUNS]

Each run lasts a random time with a random load, card and phase; the error is that of `energy_j` of the device.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fake_driver.build import library
from fake_driver.presets import a100, h100, rtx4090, v100
from fake_driver.script import EnergyCounter, Machine, Segment, Square

BINARY = Path(sys.executable).parent / "aipower-run"
LENGTHS_S = (0.15, 1.0, 2.5, 5.5)


def one_run(dice: random.Random, length_s: float, folder: Path) -> float:
    """The relative error of one run, in per cent."""
    card = dice.choice((a100, h100, rtx4090, v100))
    period_ms = card().energy.period_ms
    phase_ms = dice.uniform(0, period_ms)
    shapes = (
        Segment(dice.uniform(0, 0.4), 1000.0, dice.uniform(50, 350)),
        Square(0.0, 1000.0, dice.uniform(0, 100), dice.uniform(0.03, 1.5), dice.uniform(0.2, 0.8)),
    )
    gpu = card(0, shapes=shapes, energy=EnergyCounter(period_ms=period_ms, phase_ms=phase_ms))
    machine = Machine((gpu,))
    env = {**os.environ, **machine.environment(library(), machine.write(folder / "machine.txt"))}
    record_file = folder / "run.json"
    subprocess.run([BINARY, "-q", "--json", record_file, "sleep", str(length_s)], env=env, check=True)
    record = json.loads(record_file.read_text())
    start_s = record["started_unix_s"] - machine.wall_offset_s - machine.t0_s
    truth_j = gpu.true_energy_j(start_s, start_s + record["wall_s"])
    energy_j = record["devices"][0]["energy_j"] or 0.0
    return float(100 * (energy_j / truth_j - 1))


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    dice = random.Random(11)
    print("| length s | runs | mean abs error % | 95 % | worst |\n|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for length_s in LENGTHS_S:
            errors = sorted(abs(one_run(dice, length_s, Path(folder))) for _ in range(runs))
            high = errors[round(0.95 * (len(errors) - 1))]
            print(f"| {length_s} | {runs} | {statistics.mean(errors):.3f} | {high:.3f} | {errors[-1]:.3f} |")


if __name__ == "__main__":
    main()
