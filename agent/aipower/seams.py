"""The seams: what a sensor, a source of usage, a clock and an exporter must offer, and no more."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct, field

from aipower.model import (
    Conditions,
    Device,
    DeviceFacts,
    ProcessId,
    ProcessInfo,
    Reading,
    Snapshot,
    Unavailable,
    Usage,
)


class Clock(Protocol):
    """Time as an argument, so that tests own it."""

    def monotonic_s(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        ...

    def unix_s(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` have passed."""
        ...


class SystemClock(Struct, frozen=True):
    """The real clock."""

    def monotonic_s(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    def unix_s(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` have passed."""
        time.sleep(seconds)


class SensorTraits(Struct, frozen=True):
    """What is known of a sensor before its first reading."""

    update_period_s: float = 0.1
    """How often the counter moves; learned more precisely at run time."""
    counter_modulus_uj: int | None = None
    """The counter falls to 0 after this many microjoules; None where it never wraps."""
    max_power_w: float = 3000.0
    """No reading above this is believed."""
    power_period_s: float = 0.1
    """How often `Reading.power_w` is published."""
    power_window_s: float = 0.025
    """Over how long before that it is the mean: shorter than the period where the sensor looks part of the time,
    longer where it is a running average (science of A2)."""


class Sensor(Protocol):
    """Reads one counter of one device, so that one device's failure costs one series."""

    @property
    def device(self) -> Device:
        """The device it reads."""
        ...

    @property
    def facts(self) -> DeviceFacts:
        """UUID, driver and method."""
        ...

    @property
    def traits(self) -> SensorTraits:
        """Period, wrap and bound of the counter."""
        ...

    def read(self) -> Reading:
        """A reading, stamped at the read.

        Raises:
            SensorFailedError: This read failed; the next may work.
            SensorGoneError: The device has left.
        """
        ...

    def close(self) -> None:
        """Free what it holds. Safe to call twice."""
        ...


@runtime_checkable
class Conditioned(Protocol):
    """A sensor that can say under which conditions its device works."""

    def conditions(self) -> Conditions:
        """The conditions now, each None where the device does not say.

        Raises:
            SensorGoneError: The device has left.
        """
        ...


class UsageSource(Protocol):
    """Says who used a device since it was last asked."""

    def collect(self) -> Usage:
        """The usage since the last call (or since the source was made).

        Raises:
            SensorFailedError: Nothing is known of this window.
        """
        ...


Sighting = tuple[int, float | None]
"""A pid that a GPU's driver named, and the wall-clock time of the sample that did; None for now."""


class ProcessDirectory(Protocol):
    """Turns pids into processes that are safe against pid reuse."""

    def resolve(self, pid: int) -> ProcessId | None:
        """The process that has `pid` now, or had it until moments ago; None if it is unknown."""
        ...

    def describe(self, process: ProcessId) -> ProcessInfo:
        """What to show of a process that `resolve` returned; works after its end too."""
        ...

    def alive(self, process: ProcessId) -> bool:
        """True while the very same process exists."""
        ...


class SensorSet(Struct, frozen=True):
    """What discovery found."""

    sensors: Sequence[Sensor] = ()
    usage: Mapping[str, UsageSource] = field(default_factory=dict)
    """The source of usage of each device id; devices without one have all their energy unattributed."""
    unavailable: Sequence[Unavailable] = ()


class Exporter(Protocol):
    """Presents snapshots over HTTP. Pure: it touches no hardware and may be called from any thread."""

    @property
    def path(self) -> str:
        """Where it is served, for example `/metrics`."""
        ...

    def render(self, snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
        """The body and its content type, as the request's Accept header asks."""
        ...


@runtime_checkable
class Configurable(Protocol):
    """An exporter that wants to know settings of the agent."""

    def configured(self, settings: Mapping[str, object]) -> Exporter:
        """The same as `settings` have it: those of the agent by name."""
        ...
