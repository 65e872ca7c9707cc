"""One program watches one node for a while, and what that costs is taken down."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.watching.gauge import Memory, Usage, family, memory, usage
from benchmarks.watching.node import Watched
from benchmarks.watching.programs import Place, Program, fetch, free_port

START_LIMIT_S = 90.0
STOP_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How long each step takes, in seconds.

    aipower splits the energy of GPUs every 2 s, that of processors every 5 s: whole multiples of both are fair.
    """

    settle_s: float = 8.0
    measure_s: float = 10.0
    count_s: float = 10.0
    """0 counts no calls."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program used while it watched."""

    cpu_percent: float
    """Of one core, its helper processes included."""
    switches_per_s: float
    memory: Memory
    per_s: Mapping[str, float] = field(default_factory=dict)
    """Calls of the driver and on /proc, and `driver_percent`: CPU time inside of the driver, of one core."""


@dataclass(frozen=True, slots=True)
class Running:
    """A program that watches."""

    process: subprocess.Popen[bytes]
    place: Place

    @property
    def pid(self) -> int:
        """Of its first process."""
        return self.process.pid

    def require(self) -> None:
        """Nothing, while it runs.

        Raises:
            RuntimeError: It has ended.
        """
        if self.process.poll() is not None:
            raise RuntimeError(f"it has ended:\n{last_words(self.place)}")


@contextmanager
def running(program: Program, node: Watched, rivals: Path, flags: Sequence[str] = ()) -> Iterator[Running]:
    """The program on the node, ready, and ended with the block.

    Raises:
        RuntimeError: It ended, or was not ready in time; its last words are in the message.
    """
    place = Place(node.folder, free_port(), 1 / node.point.rate_hz, rivals, flags)
    with (node.folder / "log").open("wb") as words:
        process = subprocess.Popen(
            program.command(place),
            env=node.variables,
            cwd=node.folder,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
    try:
        run = Running(process, place)
        _wait_until_ready(program, run)
        yield run
    finally:
        _end(process)


def _wait_until_ready(program: Program, run: Running) -> None:
    until_s = time.monotonic() + START_LIMIT_S
    while not program.is_ready(run.place):
        run.require()
        if time.monotonic() > until_s:
            raise RuntimeError(f"it does not watch:\n{last_words(run.place)}")
        time.sleep(0.05)


def last_words(place: Place) -> str:
    """The end of what it has written."""
    return (place.folder / "log").read_text(errors="replace")[-1000:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it politely, and what is left of its family for good."""
    members = family(process.pid)
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in members[1:]:
        _kill(pid)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def measure(program: Program, node: Watched, rivals: Path, timing: Timing, *, scraped: bool = False) -> Cost:
    """What the program costs on the node; with `scraped` its page is read once a second meanwhile."""
    with running(program, node, rivals) as run, _scraper(run.place.port if scraped else None):
        time.sleep(timing.settle_s)
        before = usage(run.pid)
        time.sleep(timing.measure_s)
        after = usage(run.pid)
        held = memory(run.pid)
        per_s = _count(node, timing.count_s)
        run.require()
        return _cost(before, after, held, per_s)


def _cost(before: Usage, after: Usage, held: Memory, per_s: Mapping[str, float]) -> Cost:
    span_s = after.at_s - before.at_s
    cpu_percent = 100 * (after.cpu_s - before.cpu_s) / span_s
    return Cost(cpu_percent, after.switches_since(before) / span_s, held, per_s)


def _count(node: Watched, seconds: float) -> dict[str, float]:
    if not seconds:
        return {}
    began_s = time.monotonic()
    node.count(on=True)
    time.sleep(seconds)
    node.count(on=False)
    span_s = time.monotonic() - began_s
    per_s = {name: number / span_s for name, number in node.counted().items()}
    return {**per_s, "driver_percent": per_s["cpu_ns"] / 1e7}


@contextmanager
def _scraper(port: int | None) -> Iterator[None]:
    """Reads the page once a second, if there is one to read."""
    over = threading.Event()

    def read() -> None:
        while port is not None and not over.wait(1.0):
            fetch(port)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def mean(costs: Sequence[Cost]) -> Cost:
    """The mean of the same program in several rounds."""
    count = len(costs)
    names = costs[0].per_s
    return Cost(
        sum(cost.cpu_percent for cost in costs) / count,
        sum(cost.switches_per_s for cost in costs) / count,
        Memory(
            costs[0].memory.processes,
            sum(cost.memory.rss_mb for cost in costs) / count,
            sum(cost.memory.pss_mb for cost in costs) / count,
        ),
        {name: sum(cost.per_s[name] for cost in costs) / count for name in names},
    )
