"""Starts what is scraped: the agent and nvitop's exporter on the node of the budget, and agents with many series."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scraping.arm import Target
from benchmarks.suite.table import Options
from benchmarks.watching.arm import running
from benchmarks.watching.crowd import crowd, light_work
from benchmarks.watching.field import field
from benchmarks.watching.node import Point
from benchmarks.watching.programs import AIPOWER, NVITOP, Program, fetch, free_port

ROOT = Path(__file__).parents[2]
SETTLE_S = 6.0
"""By then the processors' processes have been looked for once."""
START_S, END_S = 300.0, 30.0


def programs(options: Options) -> Sequence[Program]:
    """Those with a page that are installed."""
    return [program for program in (AIPOWER, NVITOP) if program.available(options.rivals)]


@contextmanager
def on_node(options: Options, program: Program, point: Point) -> Iterator[Target]:
    """`program` on the fake driver, with real processes."""
    count = point.host_processes
    with (
        field(options) as place,
        crowd(place.crowd, count, light_work(count)) as pids,
        running(program, place.node(point, pids), place.rivals) as run,
    ):
        time.sleep(SETTLE_S)
        yield Target(program.name, run.pid, run.place.port)


@contextmanager
def simulated(accounts: int) -> Iterator[Target]:
    """An agent with so many accounts of processes.

    Raises:
        TimeoutError: It does not serve.
    """
    port = free_port()
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    argv = [sys.executable, "-m", "benchmarks.scraping.agent", str(port), str(accounts)]
    process = subprocess.Popen(argv, env=env, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        until_s = time.monotonic() + START_S
        while b"aipower_process_info" not in fetch(port):
            if time.monotonic() > until_s or process.poll() is not None:
                raise TimeoutError("the simulated agent does not serve")
            time.sleep(0.2)
        time.sleep(SETTLE_S)
        yield Target(AIPOWER.name, process.pid, port)
    finally:
        process.terminate()
        process.wait(END_S)
