"""One simulated run: devices with exact accounts, and what is to be found out about them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aipower.model import Calibration, Device, ProcessId
from benchmarks.accuracy.published import Published
from benchmarks.accuracy.sensors import Model
from benchmarks.accuracy.truth import Power
from benchmarks.accuracy.usage import Activity
from benchmarks.accuracy.world import Holding

START_S = 10.0
"""When runs begin: late enough for the longest memory of a sensor to be filled."""
AFTER_S = 3.0
"""For how long after its end a run's devices go on."""

AGENT_FROM_S = 2.0

Watcher = Literal["run", "agent"]


@dataclass(frozen=True, slots=True)
class Part:
    """One device."""

    device: Device
    power: Power
    model: Model
    published: Published
    activity: Activity | None = None
    joules: Mapping[ProcessId, float] = field(default_factory=dict)
    """What each process truly used."""
    holdings: Sequence[Holding] = ()
    groups: Mapping[str, frozenset[ProcessId]] = field(default_factory=dict)
    """Processes whose sum is of interest."""
    slices: Mapping[ProcessId, float] = field(default_factory=dict)
    """The share of the device that each process's instance is, where it has instances."""
    calibration: Calibration | None = None
    """What the owner of the card has found out about its scale."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is simulated and how it is watched."""

    parts: Sequence[Part]
    end_s: float
    watcher: Watcher = "run"
    names: Mapping[ProcessId, str] = field(default_factory=dict)
    """The executables."""
    start_s: float = START_S

    @property
    def from_s(self) -> float:
        """When watching begins: an agent was there before the work."""
        return AGENT_FROM_S if self.watcher == "agent" else self.start_s


@dataclass(frozen=True, slots=True)
class Scenario:
    """A class of cases that differ by chance."""

    name: str
    build: Callable[[random.Random], Case]
    metric: str = "device"
    """The subject whose mean error is held against the target."""
    target_percent: float | None = None
    """Mean error of aipower to be reached in the metric; None where physics forbids one."""


def vary(rng: random.Random, value: float, share: float = 0.2) -> float:
    """`value`, up to `share` more or less."""
    return value * rng.uniform(1 - share, 1 + share)
