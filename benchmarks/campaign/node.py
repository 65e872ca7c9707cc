"""A node: simulated GPUs and processors with known energy, jobs on them, and an agent that is started and killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.campaign.jobs import Jobs
from benchmarks.campaign.rapl import Tree
from fake_driver.build import library
from fake_driver.parts import Process, pid_in
from fake_driver.presets import h100
from fake_driver.script import Gpu, Machine, Segment, Square

END_S = 60.0
FOREVER_S = 1e6


@dataclass(frozen=True, slots=True)
class Wish:
    """What kind of node, and what the agent is told beside its places."""

    gpus: int
    each: int
    """Jobs on each GPU."""
    flags: Sequence[str]
    lost_s: Sequence[tuple[float, float]] = ()
    """When the last GPU is off the bus, in seconds from the start."""


@dataclass
class Node:
    """To be used inside `node`."""

    folder: Path
    machine: Machine
    tree: Tree
    jobs: Jobs
    flags: Sequence[str]
    port: int
    agent: subprocess.Popen[bytes] | None = None
    starts: int = field(default=0)

    @property
    def state(self) -> Path:
        """Where the agent keeps its counters."""
        return self.folder / "state"

    @property
    def socket(self) -> Path:
        """Where it listens for runs."""
        return self.folder / "agent.sock"

    @property
    def config(self) -> Path:
        """Its configuration file; whoever changes it sends a SIGHUP."""
        return self.folder / "aipower.toml"

    @property
    def environ(self) -> dict[str, str]:
        """The variables of the agent, and of runs that look for it."""
        driver = self.machine.environment(library(), self.folder / "machine.txt")
        places = {"AIPOWER_POWERCAP_ROOT": str(self.tree.folder), "AIPOWER_SOCKET": str(self.socket)}
        return {**os.environ, **driver, **places}

    def counter_uj(self, device: str, at_s: float) -> int:
        """What the counter of `device` has come to at a moment of the monotonic clock, were it published at once."""
        for gpu in self.machine.gpus:
            if gpu.uuid == device:
                return gpu.energy.base_mj * 1000 + int(gpu.metered_energy_j(0.0, at_s - self.machine.t0_s) * 1e6)
        return next(zone.counter_uj(at_s) for zone in self.tree.zones if zone.id == device)

    def most_w(self, device: str) -> float:
        """The highest power of `device`."""
        for gpu in self.machine.gpus:
            if gpu.uuid == device:
                return gpu.idle_w + sum(_watts(shape) for shape in gpu.shapes)
        return next(zone.most_w for zone in self.tree.zones if zone.id == device)

    def start(self) -> subprocess.Popen[bytes]:
        """Start an agent; its log goes on where that of the one before ended."""
        argv = [sys.executable, "-m", "aipower", "agent", "--listen", f"127.0.0.1:{self.port}"]
        argv += ["--config", str(self.config), "--state-dir", str(self.state), *self.flags]
        with (self.folder / "agent.log").open("ab") as log:
            self.agent = subprocess.Popen(argv, env=self.environ, stderr=log)
        self.starts += 1
        return self.agent

    def end(self, number: int = signal.SIGKILL) -> int:
        """Send the agent a signal and wait for its end; its exit code."""
        assert self.agent is not None
        self.agent.send_signal(number)
        code = self.agent.wait(END_S)
        self.agent = None
        return code

    def log(self) -> str:
        """All that its agents have logged."""
        path = self.folder / "agent.log"
        return path.read_text(errors="replace") if path.exists() else ""


@contextmanager
def node(folder: Path, wish: Wish) -> Iterator[Node]:
    """A node in `folder` with its jobs, and without an agent yet. All that was started is ended with the block."""
    with Tree(folder / "powercap") as tree, Jobs(folder / "jobs", wish.gpus * wish.each) as jobs:
        machine = Machine(tuple(_gpu(number, wish, jobs) for number in range(wish.gpus)))
        machine.write(folder / "machine.txt")
        made = Node(folder, machine, tree, jobs, wish.flags, free_port())
        made.config.write_text("")
        try:
            yield made
        finally:
            if made.agent is not None:
                made.end()


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until(condition: str, look: Callable[[], object], limit_s: float = END_S) -> None:
    """Return once `look`, a function, is true.

    Raises:
        TimeoutError: It never was.
    """
    until_s = time.monotonic() + limit_s
    while not look():
        if time.monotonic() > until_s:
            raise TimeoutError(f"never came: {condition}")
        time.sleep(0.05)


def _gpu(number: int, wish: Wish, jobs: Jobs) -> Gpu:
    places = range(number * wish.each, (number + 1) * wish.each)
    busy = 80.0 / wish.each
    processes = tuple(Process(pid_in(jobs.file(place)), busy=busy, only_alive=True) for place in places)
    shapes = (
        Segment(0.0, FOREVER_S, 120.0 + 30.0 * number),
        Square(0.0, FOREVER_S, 150.0, period_s=2.0 + 0.37 * number),
    )
    lost_s = tuple(wish.lost_s) if number == wish.gpus - 1 else ()
    return h100(number, shapes=shapes, processes=processes, lost_s=lost_s)


def _watts(shape: object) -> float:
    return float(getattr(shape, "watts", 0.0))
