"""The node that is watched: its size, its simulated sensors, and the variables by which programs see them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fake_driver.build import library
from fake_driver.cost import CALL_COUNTS, TALLY_VARIABLE, Latency, Tally
from fake_driver.presets import h100
from fake_driver.script import Gpu, Machine, Process, Segment

PROC_COUNTS = ("opens", "reads", "looks")
PROC_TALLY_VARIABLE = "AIPOWER_PROC_TALLY"
POWERCAP_VARIABLE = "AIPOWER_POWERCAP_ROOT"
BUSY_PERCENT = 80.0
"""What the processes of a GPU use of it together."""
FOREVER_S = 1e6

BUDGET_LATENCY = Latency(20, spin=True)
"""What a call of the real driver takes at its best."""


@dataclass(frozen=True, slots=True)
class Point:
    """A node and how often it is read."""

    gpus: int = 8
    gpu_processes: int = 64
    host_processes: int = 500
    """Processes of the benchmark's crowd, those on GPUs among them."""
    rate_hz: float = 1.0
    latency: Latency = field(default_factory=lambda: BUDGET_LATENCY)
    rapl: bool = False
    """Two packages with counters that move: then the CPU time of all processes matters."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a program is given to see one point, with what it does there counted."""

    folder: Path
    point: Point
    variables: dict[str, str]
    calls: Tally
    proc: Tally

    def count(self, *, on: bool) -> None:
        """From now on count calls, or do not."""
        self.calls.switch(on=on)
        self.proc.switch(on=on)

    def counted(self) -> dict[str, int]:
        """All that was counted so far."""
        return {**self.calls.read(), **self.proc.read()}


def gpus(point: Point, pids: Sequence[int]) -> tuple[Gpu, ...]:
    """The GPUs, with the first of `pids` spread evenly over them, all of them busy."""
    return tuple(_gpu(number, pids[number : point.gpu_processes : point.gpus]) for number in range(point.gpus))


def _gpu(number: int, pids: Sequence[int]) -> Gpu:
    busy = BUSY_PERCENT / max(1, len(pids))
    processes = tuple(Process(pid, busy=busy, memory_bytes=256 << 20) for pid in pids)
    return h100(number, shapes=(Segment(0.0, FOREVER_S, 300.0),), processes=processes)


def watched(folder: Path, point: Point, pids: Sequence[int], preload: Path, powercap: Path) -> Watched:
    """`point` for one program, in `folder`; `powercap` is a tree of counters, used where the point has RAPL."""
    folder.mkdir(parents=True)
    (folder / "no-rapl").mkdir()
    (folder / "nvidia-smi").write_text("#!/bin/sh\n")
    (folder / "nvidia-smi").chmod(0o755)
    machine = Machine(gpus(point, pids))
    calls, proc = Tally(folder / "calls", CALL_COUNTS), Tally(folder / "proc", PROC_COUNTS)
    variables = {
        **os.environ,
        **machine.environment(library(), machine.write(folder / "machine.txt")),
        **point.latency.environment,
        TALLY_VARIABLE: str(calls.path),
        PROC_TALLY_VARIABLE: str(proc.path),
        POWERCAP_VARIABLE: str(powercap if point.rapl else folder / "no-rapl"),
        "LD_PRELOAD": str(preload),
        "HOME": str(folder),
        "PATH": f"{folder}:{os.environ['PATH']}",  # codecarbon looks for GPUs only where `nvidia-smi --help` succeeds
    }
    return Watched(folder, point, variables, calls, proc)
