"""What was measured before now, as far as memory goes. Times are seconds of the monotonic clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, Protocol

from msgspec import Struct, field

from aipower.model import JobKey, ProcessId, ProcessInfo

By = Literal["component", "process", "device"]
"""What a chart is stacked by."""

Values = tuple[float | None, ...]
"""Watts at one time after another; None where nothing is known."""


class Ticks(Struct, frozen=True):
    """Power at full rate: one column of each device."""

    at_s: tuple[float, ...] = ()
    """When each tick read the sensors."""
    power_w: Mapping[str, Values] = field(default_factory=dict)
    """By device id, each as long as `at_s`; None where the device was down."""


class Layer(Struct, frozen=True):
    """One part of a chart."""

    key: str
    """`idle`, `context`, `active`, `unattributed`; a device's id; `BOOT-PID-TICKS` of a process, or `others`."""
    mean_w: Values
    half_w: Values
    """Half-width of the 95 % interval of the mean; None where it is not known."""
    process: ProcessInfo | None = None
    """Where the layer is a process."""


class Chart(Struct, frozen=True):
    """Mean power of some devices together over equal steps of time; the layers sum to the mean where both are known.

    All columns are as long as `start_s`.
    """

    step_s: float
    start_s: tuple[float, ...] = ()
    """When each step begins: multiples of `step_s`."""
    mean_w: Values = ()
    min_w: Values = ()
    """The lowest sum of powers that a tick has seen in the step, as `max_w` the highest."""
    max_w: Values = ()
    half_w: Values = ()
    """Half-width of the 95 % interval of the mean."""
    layers: tuple[Layer, ...] = ()
    complete_s: float | None = None
    """Up to here no step will change any more; None while nothing is known."""


class Part(Struct, frozen=True):
    """The mean power of one process on one device in a window."""

    context_w: float
    active_w: float
    half_w: float
    """Half-width of the 95 % interval of both together."""


class Window(Struct, frozen=True):
    """The newest window of a device: where its power went. The parts sum to the mean."""

    device: str
    start_s: float
    end_s: float
    mean_w: float
    half_w: float
    idle_w: float
    context_w: float
    active_w: float
    unattributed_w: float
    parts: Mapping[ProcessId, Part] = field(default_factory=dict)
    job_half_w: Mapping[JobKey, float] = field(default_factory=dict)
    """Half-width of the 95 % interval of the power of all processes of a job together, beside the scale of the sensor:
    how the power is split between them is not in it."""


class History(Protocol):
    """What may be asked of the history, from any thread. No call keeps the sampler waiting for long."""

    def ticks(self, after_s: float, devices: Collection[str]) -> Ticks:
        """The ticks after `after_s` at full rate, as far back as they are kept (about five minutes)."""
        ...

    def chart(self, devices: Collection[str], by: By, start_s: float, end_s: float, step_s: float) -> Chart:
        """The steps from `start_s` to `end_s` that are complete. Devices that are not known count as nothing.

        Raises:
            ValueError: `step_s` is not above 0, or there would be more than `MOST_STEPS`.
        """
        ...

    def latest(self) -> Mapping[str, Window]:
        """The newest window of each device that has had one; it may be old where a device has left."""
        ...

    def reach(self) -> tuple[float, float] | None:
        """From when to when there is something; None while there is nothing."""
        ...


MOST_STEPS = 5000
