"""What a phase costs the program that names it: `python -m benchmarks.phase_cost`.

With nobody listening, under a run whose pipe is read, and under one whose pipe is full. The least of many rounds is
told, as everything else on the machine only adds to it; and the 99th percentile of single calls.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

CALLS = 200
"""In one round: their messages fit into a pipe."""
ROUNDS = 200
PERCENTILE = 0.99
LISTENING, FULL, ALONE = "under aipower-run", "with a full pipe", "alone"
MOST_US = {LISTENING: 20.0, FULL: 20.0, ALONE: 1.0}


def main() -> int:
    """Print the table; 1 if a phase is dearer than promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--within", choices=sorted(MOST_US), help=argparse.SUPPRESS)
    within = parser.parse_args().within
    if within is not None:
        return measure(within)
    command = [sys.executable, "-m", "benchmarks.phase_cost", "--within"]
    return max(subprocess.run([*command, where], check=False).returncode for where in MOST_US)


def measure(where: str) -> int:
    """In a process of its own, as the decision whether there is a run is taken once."""
    reading = _pipe(where)
    import aipower  # noqa: PLC0415 - after the variable is set

    def a_phase() -> None:
        with aipower.phase("train"):
            pass

    @aipower.phase("train")
    def decorated() -> None:
        pass

    cases: dict[str, Callable[[], object]] = {
        "phase": a_phase,
        "decorated function": decorated,
        "step()": aipower.step,
        "log(tokens=…, samples=…)": lambda: aipower.log(tokens=8192, samples=32),
    }
    dearest_us = 0.0
    for name, call in cases.items():
        least_us, high_us = _cost_us(call, reading if where == LISTENING else None)
        print(f"{where:<18} {name:<26} {least_us:6.2f} us  (99th percentile {high_us:6.2f} us)")
        dearest_us = max(dearest_us, least_us if name == "phase" else 0.0)
    return 0 if dearest_us <= MOST_US[where] else 1


def _pipe(where: str) -> int:
    """The reading end of a pipe that the program is told of; -1 for none."""
    os.environ.pop("AIPOWER_PHASES", None)
    if where == ALONE:
        return -1
    reading, writing = os.pipe2(os.O_NONBLOCK)
    os.environ["AIPOWER_PHASES"] = f"{os.getpid()}:{writing}:{os.fstat(writing).st_ino}"
    if where == FULL:
        for size in (4096, 1):
            try:
                while True:
                    os.write(writing, b"x" * size)
            except BlockingIOError:
                continue
    return reading


def _cost_us(call: Callable[[], object], reading: int | None) -> tuple[float, float]:
    """The least mean of a round, and what one call of a hundred exceeds, in microseconds."""
    call()
    rounds_ns, single_ns = [], []
    for _ in range(ROUNDS):
        began_ns = time.perf_counter_ns()
        for _ in range(CALLS):
            call()
        rounds_ns.append((time.perf_counter_ns() - began_ns) / CALLS)
        _drain(reading)
        for _ in range(CALLS):
            one_ns = time.perf_counter_ns()
            call()
            single_ns.append(time.perf_counter_ns() - one_ns)
        _drain(reading)
    return min(rounds_ns) / 1e3, sorted(single_ns)[int(PERCENTILE * len(single_ns))] / 1e3


def _drain(reading: int | None) -> None:
    if reading is not None:
        os.read(reading, 1 << 17)


if __name__ == "__main__":
    sys.exit(main())
