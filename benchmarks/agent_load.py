"""What `aipower agent` costs on a node of 8 GPUs, 64 GPU processes and about 500 host processes.

    python benchmarks/agent_load.py [SECONDS] [AGENT FLAGS...]

The GPUs are the scripted driver of the tests (needs a C compiler), the processes are real `sleep`s, which cost nothing
themselves. CPU is the agent's own user and system time from /proc, as a share of one core.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fake_driver.build import library
from fake_driver.presets import h100
from fake_driver.script import Machine, Process, Segment

GPUS, PER_GPU, HOST = 8, 8, 436
ADDRESS = "127.0.0.1:19878"
WARM_UP_S = 6.0
SCRAPES = 200


@contextmanager
def sleepers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """`count` processes that do nothing, ended by their pids."""
    processes = [subprocess.Popen(["sleep", "1000"]) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def cpu_s(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int, name: str) -> float:
    """A line of smaps_rollup in megabytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1000


def scrape() -> tuple[float, int]:
    """Seconds and bytes of one scrape."""
    began_s = time.monotonic()
    with urllib.request.urlopen(f"http://{ADDRESS}/metrics", timeout=30) as page:
        size = len(page.read())
    return time.monotonic() - began_s, size


def observe(agent: subprocess.Popen[bytes], seconds: float) -> None:
    """Measure and print."""
    time.sleep(WARM_UP_S)
    began_s, before_s = time.monotonic(), cpu_s(agent.pid)
    time.sleep(seconds)
    share = (cpu_s(agent.pid) - before_s) / (time.monotonic() - began_s)
    print(f"| CPU, share of one core over {seconds:.0f} s, no scrapes | {100 * share:.2f} % |")
    times_ms = []
    size = 0
    for _ in range(SCRAPES):
        elapsed_s, size = scrape()
        times_ms.append(1000 * elapsed_s)
        time.sleep(0.01)
    times_ms.sort()
    print(f"| resident memory | {memory_mb(agent.pid, 'Rss:'):.1f} MB (PSS {memory_mb(agent.pid, 'Pss:'):.1f} MB) |")
    p99_ms = times_ms[round(0.99 * (SCRAPES - 1))]
    latency = f"p50 {statistics.median(times_ms):.1f} ms, p99 {p99_ms:.1f} ms"
    print(f"| scrape of {size / 1000:.0f} kB, {SCRAPES} times | {latency} |")


def main() -> None:
    """Set up the node and measure the agent on it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with tempfile.TemporaryDirectory() as folder, sleepers(GPUS * PER_GPU) as jobs, sleepers(HOST):
        gpus = tuple(
            h100(
                number,
                shapes=(Segment(0, 10_000, 300.0),),
                processes=tuple(
                    Process(job.pid, busy=10.0) for job in jobs[number * PER_GPU : (number + 1) * PER_GPU]
                ),
            )
            for number in range(GPUS)
        )
        machine = Machine(gpus)
        env = {**os.environ, **machine.environment(library(), machine.write(Path(folder) / "machine.txt"))}
        argv = [sys.executable, "-m", "aipower", "agent", "--listen", ADDRESS, *sys.argv[2:]]
        agent = subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL)
        print("| what | measured |\n|---|---|")
        try:
            observe(agent, seconds)
        finally:
            agent.terminate()
            agent.wait(30)


if __name__ == "__main__":
    main()
