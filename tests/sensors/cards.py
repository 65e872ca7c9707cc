"""GPUs whose calls a test lets hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aipower.model import Conditions, Device, DeviceFacts, Reading, Usage
from aipower.seams import SensorSet, SensorTraits, SystemClock
from aipower.sensors.offthread import HungError, off_thread
from fakes import GPU, process

CLOCK = SystemClock()
PATIENCE_S = 0.2
LIMIT_S = 30.0
SOON_S = 5.0
"""Far more than the patience, far less than a hang: the machine may be busy."""


def nothing() -> None:
    """The device is well."""


@dataclass(slots=True)
class Card:
    """A sensor and source of usage in one; `act` is called by each call."""

    act: Callable[[], None] = nothing
    device: Device = GPU
    facts: DeviceFacts = field(default_factory=lambda: DeviceFacts("uuid"))
    traits: SensorTraits = field(default_factory=lambda: SensorTraits(0.02))
    calls: int = 0
    closed: int = 0
    threads: set[str] = field(default_factory=set)
    since_s: float = 0.0

    def read(self) -> Reading:
        self._called()
        return Reading(float(self.calls), self.calls)

    def collect(self) -> Usage:
        """One window per call, in which process 1 has worked all the time."""
        self._called()
        self.since_s, start_s = self.since_s + 1, self.since_s
        return Usage(start_s, self.since_s, {process(1): 1.0}, samples=6)

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed += 1

    def _called(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.calls += 1
        self.act()


class ConditionedCard(Card):
    def conditions(self) -> Conditions:
        self._called()
        return Conditions(power_limit_w=700.0)


class Hang:
    """Lets the next call through the gate hang until it is released."""

    def __init__(self, card: Card) -> None:
        self.entered, self.release, self.left = threading.Event(), threading.Event(), threading.Event()
        card.act = self._wait
        self._card = card

    def _wait(self) -> None:
        self._card.act = nothing
        self.entered.set()
        assert self.release.wait(LIMIT_S)
        self.left.set()

    def end(self) -> None:
        self.release.set()
        assert self.left.wait(LIMIT_S)


@contextmanager
def wrapped(*cards: Card, patience_s: float = PATIENCE_S) -> Iterator[SensorSet]:
    found = SensorSet(cards, {card.device.id: card for card in cards})
    made = off_thread(found, CLOCK, patience_s)
    try:
        yield made
    finally:
        for sensor in made.sensors:
            sensor.close()


def until_it_reads(found: SensorSet) -> Reading:
    deadline_s = time.monotonic() + LIMIT_S
    while True:
        try:
            return found.sensors[0].read()
        except HungError:
            assert time.monotonic() < deadline_s
            time.sleep(0.001)
