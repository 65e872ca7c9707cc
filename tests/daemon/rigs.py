"""A sampler over devices that do what the test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aipower.books.ledger import Ledger
from aipower.daemon.sampling.sampler import Pace, Sampler
from aipower.meter import Meter
from aipower.model import Device, DeviceFacts, Reading, Usage
from aipower.seams import Clock, SensorSet, SensorTraits, UsageSource
from fakes import GPU, FakeDirectory

DEADLINE_S = 60.0


def nothing() -> None:
    """The device is well."""


@dataclass(slots=True)
class Sensor:
    """A device of 100 W; `act` is called at each read and may raise or hang."""

    clock: Clock
    act: Callable[[], None] = nothing
    device: Device = GPU
    facts: DeviceFacts = field(default_factory=DeviceFacts)
    traits: SensorTraits = field(default_factory=SensorTraits)
    closed: int = 0

    def read(self) -> Reading:
        self.act()
        at_s = self.clock.monotonic_s()
        return Reading(at_s, int(at_s * 10) * 10_000_000, 100.0)

    def close(self) -> None:
        self.closed += 1


@dataclass(slots=True)
class Source:
    """Nobody works; `act` is called at each question and may raise or hang."""

    clock: Clock
    act: Callable[[], None] = nothing

    def collect(self) -> Usage:
        self.act()
        now_s = self.clock.monotonic_s()
        return Usage(now_s - 1, now_s)


class Rig:
    """A sampler that is not started; a test calls `tick`, or starts it."""

    def __init__(
        self,
        clock: Clock,
        sensors: Sequence[Sensor],
        usage: Mapping[str, UsageSource] | None = None,
        interval_s: float = 1.0,
        give_up: Callable[[], None] | None = None,
    ) -> None:
        self.gave_up = threading.Event()
        self.ledger = Ledger(FakeDirectory())
        self.meter = Meter(SensorSet(sensors, usage or {}), self.ledger, clock)
        pace = Pace(interval_s, interval_s)
        self.sampler = Sampler(self.meter, self.ledger, pace, clock, give_up or self.gave_up.set)

    def tick(self) -> None:
        self.sampler._step()

    def faults(self) -> Mapping[tuple[str, str], int]:
        return self.ledger.draft(0.0, "", {}).snapshot().fault_counts
