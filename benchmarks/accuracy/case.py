"""One simulated run: devices with exact accounts, and what is to be found out about them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aipower.model import Calibration, Device, ProcessId
from aipower.seams import UsageSource
from benchmarks.accuracy.machine import SimulatedClock
from benchmarks.accuracy.published import Publisher
from benchmarks.accuracy.sensors import Model, Outage
from benchmarks.accuracy.truth import Power
from benchmarks.accuracy.usage import Activity
from benchmarks.accuracy.world import Holding

START_S = 10.0
"""When runs begin: late enough for the longest memory of a sensor to be filled."""
AFTER_S = 3.0
"""For how long after its end a run's devices go on."""

AGENT_FROM_S = 2.0
FLAGGED = 0.85
"""Share of the estimates that must be flagged where nothing tells them apart."""

Watcher = Literal["run", "agent"]


@dataclass(frozen=True, slots=True)
class Part:
    """One device."""

    device: Device
    power: Power
    model: Model
    published: Publisher
    activity: Activity | None = None
    joules: Mapping[ProcessId, float] = field(default_factory=dict)
    """What each process truly used."""
    holdings: Sequence[Holding] = ()
    groups: Mapping[str, frozenset[ProcessId]] = field(default_factory=dict)
    """Processes whose sum is of interest: each group is a run of its own."""
    slices: Mapping[ProcessId, float] = field(default_factory=dict)
    """The share of the device that each process's instance is, where it has instances."""
    calibration: Calibration | None = None
    """What the owner of the card has found out about its scale."""
    true_scale: bool = True
    """False where the card reads wrongly: intervals that leave out the scale are not to hold true joules then."""
    source: Callable[[SimulatedClock], UsageSource] | None = None
    """What says who worked, where that is not simply `activity`."""
    outages: Sequence[Outage] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """What is simulated and how it is watched."""

    parts: Sequence[Part]
    end_s: float
    watcher: Watcher = "run"
    names: Mapping[ProcessId, str] = field(default_factory=dict)
    """The executables."""
    start_s: float = START_S
    strangers: frozenset[ProcessId] = frozenset()
    """Processes that are not of the run."""
    wall_steps: Sequence[tuple[float, float]] = ()
    """When somebody sets the wall clock, and by how many seconds."""
    again: Case | None = None
    """A second run on the same card, to be compared with this one."""

    @property
    def from_s(self) -> float:
        """When watching begins: an agent was there before the work."""
        return AGENT_FROM_S if self.watcher == "agent" else self.start_s

    def run_of(self, process: ProcessId, usual: str) -> str:
        """The run of `process`: its group, none for a stranger, else `usual`."""
        if process in self.strangers:
            return ""
        groups = (name for part in self.parts for name, members in part.groups.items() if process in members)
        return next(groups, usual)


@dataclass(frozen=True, slots=True)
class Target:
    """What aipower is to reach in one subject."""

    percent: float | None = None
    """Mean error; None where physics forbids one."""
    flagged: float | None = None
    """Least share of estimates that are flagged as not to be told apart."""
    or_flagged: bool = False
    """A flagged estimate whose interval covers counts as reached, too."""


Targets = Mapping[str, Target]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A class of cases that differ by chance."""

    name: str
    build: Callable[[random.Random], Case]
    targets: Targets = field(default_factory=dict)
    """By subject."""


def within(percent: float, subject: str = "device") -> Targets:
    """The target of a mean error in one subject."""
    return {subject: Target(percent)}


def vary(rng: random.Random, value: float, share: float = 0.2) -> float:
    """`value`, up to `share` more or less."""
    return value * rng.uniform(1 - share, 1 + share)
