"""The pipeline: sensors are read, energy is found, attributed and posted. Agent and `aipower-run` drive the same one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aipower.attribution.active import CPU_INTENSITY_SE, GPU_INTENSITY_SE, ActiveModel, BusyTime
from aipower.attribution.attribute import attribute
from aipower.attribution.baseline import Baseline, CpuBaseline, Floor, GpuBaseline
from aipower.energy.device import DeviceEnergy
from aipower.energy.window import join, mean_w
from aipower.errors import SensorError, SensorGoneError
from aipower.ledger import Ledger
from aipower.model import Device, EnergyDelta, Fault, ProcessId, Reading, Usage
from aipower.seams import Clock, Sensor, SensorSet, UsageSource

log = logging.getLogger(__name__)

MIN_POWER_WINDOW_S = 0.05
"""Power from a counter over less is mostly the jitter of its updates: 4 % at 10 ms for RAPL (science of C6)."""


@dataclass(frozen=True, slots=True)
class PowerStats:
    """Power of a device while it was watched, in watts; None where no reading gave one."""

    latest_w: float | None = None
    peak_w: float | None = None


class Channel:
    """One sensor with all that its device needs on the way to the ledger."""

    def __init__(self, sensor: Sensor, source: UsageSource | None, max_gap_s: float) -> None:
        self.sensor = sensor
        self.source = source
        self.energy = DeviceEnergy(sensor.device, sensor.traits, max_gap_s)
        self.baseline: Baseline = GpuBaseline() if sensor.device.kind == "gpu" else CpuBaseline()
        self.model: ActiveModel = _model(sensor.device)
        self.up = False
        self.gone = False
        self.power = PowerStats()
        self.first: Reading | None = None
        self._pending: list[EnergyDelta] = []
        self._previous: Reading | None = None

    def sample(self) -> list[Fault]:
        """Read the sensor once; what goes wrong comes back as data."""
        if self.gone:
            return []
        try:
            reading = self.sensor.read()
        except SensorError as error:
            self.up, self.gone = False, isinstance(error, SensorGoneError)
            self.power = PowerStats(None, self.power.peak_w)
            fault = Fault(self.sensor.device.id, 0.0, error.reason, retry=not self.gone, detail=str(error))
            return [fault]
        self.up = True
        return self._take(reading)

    def open(self, at_s: float) -> None:
        """Account for nothing before `at_s`."""
        self.energy.open(at_s, self.first.power_w if self.first else None)

    def settled(self, at_s: float) -> bool:
        """True when nothing is to be gained by another read for the energy up to `at_s`."""
        if self.gone or not self.up or not self._pending:
            return not self.up
        return self._pending[-1].end_s >= at_s

    def close(self, at_s: float) -> None:
        """Complete the account up to `at_s` and drop what lies beyond."""
        self._pending.extend(self.energy.close(at_s))
        self._pending = list(self.energy.cut(self._pending, at_s))

    def take(self) -> EnergyDelta | None:
        """The energy found since the last call, as one delta."""
        pending, self._pending = self._pending, []
        return join(pending) if pending else None

    def _take(self, reading: Reading) -> list[Fault]:
        if self.first is None:
            self.first = reading
        progress = self.energy.advance(reading)
        self._pending.extend(progress.deltas)
        self._note_power(reading)
        return list(progress.faults)

    def _note_power(self, reading: Reading) -> None:
        """Power as read, or from the counter where the sensor has none."""
        power_w = reading.power_w
        if power_w is None:
            power_w = self._counted_power(reading)
            if power_w is None:
                return
        peak_w = self.power.peak_w
        self.power = PowerStats(power_w, power_w if peak_w is None else max(peak_w, power_w))

    def _counted_power(self, reading: Reading) -> float | None:
        previous = self._previous
        if previous is None:
            self._previous = reading
            return None
        span_s = reading.at_s - previous.at_s
        if span_s < MIN_POWER_WINDOW_S or reading.counter_uj is None or previous.counter_uj is None:
            return None
        self._previous = reading
        rise_uj = reading.counter_uj - previous.counter_uj
        return rise_uj / 1e6 / span_s if rise_uj >= 0 else None


def _model(device: Device) -> ActiveModel:
    if device.kind == "gpu":
        return BusyTime(GPU_INTENSITY_SE)
    return BusyTime(CPU_INTENSITY_SE, lone_is_certain=False)


class Meter:
    """All channels of a machine. Not thread-safe: one thread samples and attributes."""

    def __init__(
        self,
        found: SensorSet,
        ledger: Ledger,
        clock: Clock,
        max_gap_s: float = 5.0,
        run_of: Callable[[ProcessId], str] = lambda _: "",
    ) -> None:
        self.channels = [Channel(sensor, found.usage.get(sensor.device.id), max_gap_s) for sensor in found.sensors]
        self.faults: list[Fault] = []
        self._ledger = ledger
        self._clock = clock
        self._run_of = run_of
        for channel in self.channels:
            ledger.open_account(channel.sensor.device, channel.sensor.facts)

    def sample(self) -> None:
        """Read every sensor once."""
        for channel in self.channels:
            for fault in channel.sample():
                self._record(fault)

    def attribute(self, kinds: Iterable[str] = ("gpu", "cpu", "dram")) -> None:
        """Close the window of the devices of `kinds`: ask who worked, split the energy, post it."""
        wanted = frozenset(kinds)
        usages: dict[int, Usage | None] = {}
        for channel in self.channels:
            if channel.sensor.device.kind in wanted:
                self._attribute(channel, self._usage(channel, usages))

    def powers_w(self) -> dict[str, float | None]:
        """Power now of the devices that are up."""
        return {channel.sensor.device.id: channel.power.latest_w for channel in self.channels if channel.up}

    def close(self) -> None:
        """Free the sensors."""
        for channel in self.channels:
            channel.sensor.close()

    def _usage(self, channel: Channel, usages: dict[int, Usage | None]) -> Usage | None:
        """Ask each source once per window: the packages and memories of a machine share one."""
        if channel.source is None:
            return None
        key = id(channel.source)
        if key not in usages:
            try:
                usages[key] = channel.source.collect()
            except SensorError as error:
                usages[key] = None
                self._record(Fault(channel.sensor.device.id, 0.0, error.reason, retry=True, detail=str(error)))
        return usages[key]

    def _attribute(self, channel: Channel, usage: Usage | None) -> None:
        delta = channel.take()
        if delta is None:
            return
        if usage is None:
            self._ledger.post(attribute(delta, None, Floor(0), channel.model), self._run_of)
            return
        channel.baseline.observe(delta, usage)
        floor = channel.baseline.floor(delta, usage)
        self._ledger.post(attribute(delta, usage, floor, channel.model), self._run_of)

    def _record(self, fault: Fault) -> None:
        stamped = Fault(fault.device, self._clock.monotonic_s(), fault.reason, fault.retry, fault.detail)
        self.faults.append(stamped)
        self._ledger.fault(stamped)
        log.debug("%s: %s %s", stamped.device, stamped.reason, stamped.detail)


def watts(delta: EnergyDelta) -> float:
    """Mean power of a delta in watts."""
    return mean_w(delta)
