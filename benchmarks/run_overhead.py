"""What `aipower-run true` costs over `true`: wall time and CPU, alternating in one run.

python benchmarks/run_overhead.py [REPEATS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aipower

BINARY = Path(sys.executable).parent / "aipower-run"
COMMANDS: dict[str, Sequence[str]] = {
    "true": ["true"],
    "python -c pass": [sys.executable, "-c", "pass"],
    "aipower-run -q true": [str(BINARY), "-q", "true"],
    "aipower-run -q --sensors fake:8 true": [str(BINARY), "-q", "--sensors", "fake:8", "true"],
}


def measure(argv: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    before = os.times()
    began_s = time.monotonic()
    subprocess.run(argv, check=True)
    wall_s = time.monotonic() - began_s
    after = os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return wall_s, cpu_s


def row(name: str, samples: Sequence[tuple[float, float]]) -> str:
    """One line of the table: median and spread."""
    walls_ms = sorted(1000 * wall_s for wall_s, _ in samples)
    cpu_ms = statistics.median(1000 * cpu_s for _, cpu_s in samples)
    quarter = len(walls_ms) // 4
    spread = f"{walls_ms[quarter]:.0f}..{walls_ms[-quarter - 1]:.0f}"
    return f"| `{name}` | {statistics.median(walls_ms):.1f} | {spread} | {cpu_ms:.1f} |"


def main() -> None:
    """Print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 21
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, argv in COMMANDS.items():
            samples[name].append(measure(argv))
    print(
        f"aipower {aipower.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, {repeats} repeats\n"
    )
    print("| command | wall ms, median | middle half | CPU ms, median |\n|---|--:|--:|--:|")
    for name, values in samples.items():
        print(row(name, values))


if __name__ == "__main__":
    main()
