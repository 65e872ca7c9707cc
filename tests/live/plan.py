"""The words of a scenario: devices, who works on them, and what the agent is told beside its sensors."""

from __future__ import annotations

from dataclasses import dataclass, field

from aipower.footprint.settings import Footprint
from aipower.model import Place, SinkState, Unavailable


@dataclass(frozen=True, slots=True)
class Worker:
    """A process, on which GPUs it works, and how many cores it keeps busy."""

    comm: str
    user: str = "demo"
    place: Place = field(default_factory=Place)
    gpus: tuple[int, ...] = ()
    cores: float = 0.0
    weight: float = 1.0
    """Its share of the work on its GPUs, beside those of the others there."""
    run: str = ""
    run_name: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A machine and its agent."""

    gpus: int = 0
    sockets: int = 0
    workers: tuple[Worker, ...] = ()
    gpu_name: str = "Simulated GPU 80GB"
    interval_s: float = 1.0
    fine_s: float = 90.0
    """For so long before now it has ticked at its interval."""
    past_s: float = 3600.0
    """For so long before now it has run."""
    coarse_s: float = 10.0
    """How often it ticked before `fine_s`: an agent that had much to do, so that a test need not wait."""
    missing: tuple[Unavailable, ...] = ()
    sinks: tuple[SinkState, ...] = ()
    footprint: Footprint = field(default_factory=Footprint)
    max_processes: int = 200
