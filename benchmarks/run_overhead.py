"""What `aipower-run true` costs over `true`, with an agent and without: wall time and CPU, alternating in one run.

python benchmarks/run_overhead.py [REPEATS] [--socket PATH]

An agent with simulated sensors is started for it, or that at PATH is used. Bytecode is kept in a temporary folder, as
an installed package has it, whatever PYTHONDONTWRITEBYTECODE says: compiling our modules costs more than the rest.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import aipower

FOLDER = Path(sys.executable).parent
RUN = str(FOLDER / "aipower-run")
TRUE, AGENT, ALONE = "true", "aipower-run -q true, agent", "aipower-run -q --no-agent true"
COMMANDS: Mapping[str, Sequence[str]] = {
    TRUE: ["true"],
    "python -c pass": [sys.executable, "-c", "pass"],
    AGENT: [RUN, "-q", "true"],
    ALONE: [RUN, "-q", "--no-agent", "true"],
    "aipower-run -q --sensors fake:8 true": [RUN, "-q", "--sensors", "fake:8", "true"],
}
BUDGET_MS = {AGENT: 50, ALONE: 150}
READY_S = 30.0


@contextlib.contextmanager
def agent(folder: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """The socket of an agent with simulated sensors, as long as the context lasts."""
    path = folder / "agent.sock"
    words = ["--sensors", "fake:2", "--socket", str(path), "--listen", "127.0.0.1:0", "--state-dir", "none"]
    process = subprocess.Popen([FOLDER / "aipower", "agent", *words], env=environ, stderr=subprocess.DEVNULL)
    try:
        wait_for(path, process)
        yield path
    finally:
        process.terminate()
        process.wait()


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Return once somebody listens at `path`; ends the benchmark if `process` has ended or takes too long."""
    until_s = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < until_s:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(os.fspath(path))
            return
        time.sleep(0.05)
    raise SystemExit(f"no agent listens at {path}; start one and name its socket with --socket")


def measure(argv: Sequence[str], environ: Mapping[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.monotonic()
    subprocess.run(argv, env=environ, check=True)
    wall_s = time.monotonic() - began_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def sample(repeats: int, environ: Mapping[str, str]) -> dict[str, list[tuple[float, float]]]:
    """The costs of each command; the first round, which writes the bytecode, does not count."""
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for turn in range(repeats + 1):
        for name, argv in COMMANDS.items():
            cost = measure(argv, environ)
            if turn:
                samples[name].append(cost)
    return samples


def row(name: str, costs: Sequence[tuple[float, float]]) -> str:
    """One line of the table: least, median and spread."""
    walls_ms = sorted(1000 * wall_s for wall_s, _ in costs)
    cpu_ms = statistics.median(1000 * cpu_s for _, cpu_s in costs)
    quarter = len(walls_ms) // 4
    spread = f"{walls_ms[quarter]:.0f}..{walls_ms[-quarter - 1]:.0f}"
    return f"| `{name}` | {walls_ms[0]:.1f} | {statistics.median(walls_ms):.1f} | {spread} | {cpu_ms:.1f} |"


def median_ms(costs: Sequence[tuple[float, float]]) -> float:
    """Of the wall time."""
    return 1000 * statistics.median(wall_s for wall_s, _ in costs)


def report(samples: Mapping[str, Sequence[tuple[float, float]]], repeats: int) -> None:
    """Print the table and what it means for the budgets."""
    print(f"aipower {aipower.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, {repeats} repeats")
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print("| command | wall ms, least | median | middle half | CPU ms, median |\n|---|--:|--:|--:|--:|")
    for name, costs in samples.items():
        print(row(name, costs))
    print()
    for name, budget_ms in BUDGET_MS.items():
        over_ms = median_ms(samples[name]) - median_ms(samples[TRUE])
        print(f"`{name}`: {over_ms:.1f} ms over `true` (budget {budget_ms})")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("repeats", type=int, nargs="?", default=21)
    parser.add_argument("--socket", type=Path, help="of a running agent")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environ["PYTHONPYCACHEPREFIX"] = f"{name}/bytecode"
        path = asked.socket or stack.enter_context(agent(Path(name), environ))
        report(sample(asked.repeats, environ | {"AIPOWER_SOCKET": str(path)}), asked.repeats)


if __name__ == "__main__":
    main()
