"""The words of the story: nodes, and processes that draw power from their devices for a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aipower.model import Place

HOUR_S = 3600.0
HOURS = 26
END_UNIX_S = 1_768_478_400
"""2026-01-15 12:00:00 UTC: the middle of a month, and the edge of a block of Prometheus."""
START_UNIX_S = END_UNIX_S - HOURS * 3600
RIPPLE, RIPPLE_S = 0.08, 600.0
"""Work is never quite even: its power swings by so much, once in so many seconds."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one process draws from one device above its idle level, in watts, and how busy it keeps it."""

    device: str
    watts: float
    busy: float
    """Share of a GPU's time; seconds of processor time in a second for a processor."""
    context_w: float = 0.0
    """Drawn for as long as the process holds the device, also while it does nothing."""


@dataclass(frozen=True, slots=True)
class Work:
    """One process: where, whose, when (hours since the start) and what it draws."""

    node: str
    comm: str
    user: str
    place: Place
    begin_h: float
    end_h: float
    loads: tuple[Load, ...]
    run: str = ""
    run_name: str = ""

    @property
    def begin_s(self) -> float:
        """Seconds since the start of the story."""
        return self.begin_h * HOUR_S

    @property
    def end_s(self) -> float:
        """Seconds since the start of the story; beyond its end for what goes on."""
        return self.end_h * HOUR_S


@dataclass(frozen=True, slots=True)
class Box:
    """One node."""

    name: str
    gpus: int
    has_dram: bool = True
    gpu_idle_w: float = 72.0
    cpu_idle_w: float = 55.0
    dram_idle_w: float = 9.0
    unseen_h: tuple[float, float] = (-1.0, -1.0)
    """Hours in which nobody could reach it; its agent went on."""
    restart_h: float = -1.0
    """When the agent was restarted, with its counters kept."""
    broken: tuple[str, float, float] = ("", -1.0, -1.0)
    """A device whose sensor failed, and from when to when."""
    sink_down_h: tuple[float, float] = (-1.0, -1.0)

    @property
    def instance(self) -> str:
        """As Prometheus names it."""
        return f"{self.name}:9877"

    def gpu(self, index: int) -> str:
        """The UUID of a GPU."""
        return f"GPU-{self.name[-1] * 8}-0000-0000-0000-{index:012d}"


BOXES = (
    Box("node-a", 4, restart_h=18.0),
    Box("node-b", 4, broken=("GPU-bbbbbbbb-0000-0000-0000-000000000001", 16.0, 17.0), sink_down_h=(19.0, 20.0)),
    Box("node-c", 2, has_dram=False, unseen_h=(14.0, 16.0)),
)
CPU, DRAM = "package-0", "dram-0"


def work_j(load: Load, begin_s: float, end_s: float, at_s: float) -> float:
    """What `load` of a process that lives from `begin_s` to `end_s` has drawn until `at_s`, in joules."""
    spent_s = max(0.0, min(at_s, end_s) - begin_s)
    turn = 2 * math.pi / RIPPLE_S
    return load.context_w * spent_s + load.watts * (spent_s + RIPPLE / turn * (1 - math.cos(turn * spent_s)))


def work_w(load: Load, begin_s: float, end_s: float, at_s: float) -> float:
    """What it draws at `at_s`, in watts."""
    if not begin_s <= at_s < end_s:
        return 0.0
    return load.context_w + load.watts * (1 + RIPPLE * math.sin(2 * math.pi / RIPPLE_S * (at_s - begin_s)))
