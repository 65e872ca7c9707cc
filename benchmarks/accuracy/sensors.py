"""Sensor models by architecture (science of A2 and F1), and the sensor that aipower reads."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from aipower.errors import SensorFailedError, SensorGoneError
from aipower.model import Device, DeviceFacts, Method, Reading
from aipower.seams import Clock, SensorTraits
from benchmarks.accuracy.published import Card, Counter, Published, Publisher, Signal
from benchmarks.accuracy.truth import Power

JITTER_S = 0.0005
LATENCY_S = (0.0005, 0.005)
STALL_S, STALL_CHANCE = 0.1, 0.0005
"""A call that waits for the driver's lock, once in a few minutes."""
INSTANT_OF_VALUE = (0.25, 0.75)
"""When within a call the value is taken: somewhere in its middle half."""
INTEL = Counter(0.001, None, 61.03515625, 262_143_328_850)
"""RAPL of an Intel package: units of 2**-14 J, `max_energy_range_uj` (science of C)."""
AMD = Counter(0.001, None, 15.2587890625, 65_532_610_987)
"""The same of an AMD socket: units of 2**-16 J; it wraps every 131 s at 500 W."""
RAPL_JITTER_S, RAPL_LATENCY_S = 0.0001, (0.00002, 0.0001)


@dataclass(frozen=True, slots=True)
class Model:
    """How an architecture publishes."""

    name: str
    draw: Signal | None
    """What `power.draw` and the old power call show."""
    instant: Signal | None
    average: Signal | None = None
    counter: Counter | None = None
    jitter_s: float = JITTER_S
    latency_s: tuple[float, float] = LATENCY_S
    stall_chance: float = STALL_CHANCE

    @property
    def traits(self) -> SensorTraits:
        """What the product knows of such a sensor in advance."""
        shown = self.instant or self.draw or Signal(0.1, 0.1)
        period_s = self.counter.period_s if self.counter else shown.period_s
        modulus_uj = self.counter.modulus_uj if self.counter else None
        return SensorTraits(period_s, modulus_uj, 3000.0, shown.period_s, shown.window_s)


_FULL, _FAST = Counter(0.1), Counter(0.02)
_MEAN, _FLAT, _SHORT = Signal(0.1, 1.0), Signal(0.1, 0.1), Signal(0.1, 0.025)
_PART_MEAN, _PART = Signal(0.1, 1.0, 0.025), Counter(0.1, 0.025)
_STALE, _HWMON = Signal(0.5, 0.1), Signal(0.05, 0.05)

MODELS = {
    model.name: model
    for model in (
        Model("pascal", Signal(0.02, 0.01), Signal(0.02, 0.01)),
        Model("v100", Signal(0.02, 0.01), Signal(0.02, 0.01), None, _FAST),
        Model("turing", _FLAT, _FLAT, None, _FULL),
        Model("rtx8000", Signal(0.1, 0.02), Signal(0.1, 0.02), None, _FULL),
        Model("ga100", _SHORT, _SHORT, None, _FULL),
        Model("ga100-part", _SHORT, _SHORT, None, _PART),
        Model("ada", _MEAN, _FLAT, _MEAN, _FULL),
        Model("ada-530", _FLAT, _FLAT, _MEAN, _FULL),
        Model("ada-stale", Signal(0.5, 1.0), _STALE, Signal(0.5, 1.0), _FULL),
        Model("h100", _MEAN, _SHORT, _MEAN, _FULL),
        Model("h100-part-average", _PART_MEAN, _SHORT, _PART_MEAN, _FULL),
        Model("h100-part-counter", _MEAN, _SHORT, _MEAN, _PART),
        Model("h100-part", _PART_MEAN, _SHORT, _PART_MEAN, _PART),
        Model("average-only", _MEAN, None),
        Model("hwmon", _HWMON, _HWMON, None, None, RAPL_JITTER_S, RAPL_LATENCY_S, 0.0),
        Model("rapl", None, None, None, INTEL, RAPL_JITTER_S, RAPL_LATENCY_S, 0.0),
        Model("rapl-amd", None, None, None, AMD, RAPL_JITTER_S, RAPL_LATENCY_S, 0.0),
    )
}
"""By name. `part` sees 25 of every 100 ms; `stale` is a reading that new drivers cache for 500 ms (A3)."""

CARDS = {
    "A100-PCIE-40": Card(0.954, -1.2),
    "RTX 4090": Card(1.044, -22.6),
    "RTX 3090": Card(0.948, 1.4),
    "RTX 3090 OEM 1": Card(0.980, -8.5),
    "RTX 3090 OEM 2": Card(1.017, 3.0),
    "RTX 3070 Ti": Card(1.001, -4.2),
    "RTX 2080 Ti": Card(0.966, -5.7),
    "RTX 2060 S": Card(0.968, 16.0),
    "RTX A5000": Card(0.908, 6.3),
    "M40": Card(0.972, 1.3),
    "P100": Card(0.992, 0.9),
    "GTX 1080 Ti": Card(0.999, -0.3),
    "GTX 1080": Card(1.064, -5.4),
}
"""Gain and offset measured on real cards (science of A2); the K620, far off all others, is left out."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Reads fail from `start_s` to `end_s`."""

    start_s: float
    end_s: float
    gone: bool = False
    """True where the driver says that the device has left."""


def publish(power: Power, model: Model, rng: random.Random, card: Card | None = None) -> Published:
    """What a sensor of `model` shows of `power`."""
    return Published(power, model.counter, card or Card(), rng, model.jitter_s)


class SimulatedSensor:
    """Reads what is published, at the price of a driver call."""

    def __init__(
        self,
        device: Device,
        model: Model,
        published: Publisher,
        clock: Clock,
        rng: random.Random,
        calm_until_s: float = 0.0,
        outages: Sequence[Outage] = (),
    ) -> None:
        self.device = device
        method: Method = "counter" if model.counter else "integrated"
        self.facts = DeviceFacts(device.id, "simulated", method)
        self.traits = model.traits
        self._model = model
        self._published = published
        self._clock = clock
        self._rng = rng
        self._calm_until_s = calm_until_s
        """Calls do not stall before: a command begins after the first reads, however long they take."""
        self._outages = outages

    def read(self) -> Reading:
        """A reading stamped at the middle of the call.

        Raises:
            SensorFailedError: It is broken for now.
            SensorGoneError: The device has left for now.
        """
        before_s = self._clock.monotonic_s()
        self._fail_if_out(before_s)
        latency_s = self._latency_s(before_s)
        part = self._rng.uniform(*INSTANT_OF_VALUE)
        self._clock.sleep(latency_s * part)
        now_s, model = self._clock.monotonic_s(), self._model
        counter_uj = self._published.counter_uj(now_s)
        shown = model.instant or model.draw
        power_w = self._published.watts(shown, now_s) if shown else None
        average_w = self._published.watts(model.average, now_s) if model.average else None
        self._clock.sleep(latency_s * (1 - part))
        at_s = (before_s + self._clock.monotonic_s()) / 2
        return Reading(at_s, counter_uj, power_w, self.facts.method, average_w)

    def close(self) -> None:
        """Nothing to free."""

    def _fail_if_out(self, now_s: float) -> None:
        for outage in self._outages:
            if outage.start_s <= now_s < outage.end_s:
                self._clock.sleep(self._latency_s(now_s))
                raise SensorGoneError("gone") if outage.gone else SensorFailedError("read_failed")

    def _latency_s(self, now_s: float) -> float:
        if self._rng.random() < self._model.stall_chance and now_s >= self._calm_until_s:
            return STALL_S
        return self._rng.uniform(*self._model.latency_s)
