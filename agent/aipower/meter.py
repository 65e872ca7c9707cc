"""The pipeline: sensors are read, energy is found, attributed, posted. Agent and `aipower-run` drive the same one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from msgspec.structs import replace

from aipower.attribution.apportion import Apportioner
from aipower.attribution.attribute import without_usage
from aipower.attribution.baseline import Floor, GpuBaseline
from aipower.attribution.choose import apportioner_of
from aipower.books.faultlog import FaultLog, FaultRecord
from aipower.books.ledger import Ledger
from aipower.books.resume import bridge
from aipower.channel import MIN_POWER_WINDOW_S, Channel, PowerStats
from aipower.errors import SensorError
from aipower.model import Attribution, Calibration, EnergyDelta, Fault, Position, ProcessId, Usage
from aipower.seams import Clock, Conditioned, SensorSet, UsageSource
from aipower.sensors.ahead import announce

__all__ = ["MIN_POWER_WINDOW_S", "Channel", "FaultRecord", "Meter", "PowerStats"]

log = logging.getLogger(__name__)

RECENT_FAULTS = 256
"""Single faults kept; `fault_records` has all of them, merged."""


class Listener(Protocol):
    """Sees the windows of all devices: each is taken first, and once attributed, at once or much later."""

    def taken(self, channel: Channel, window: EnergyDelta, usage: Usage | None) -> None:
        """The energy of `window` is known, and who worked meanwhile; `channel.taken` has its pieces."""
        ...

    def posted(self, attribution: Attribution) -> None:
        """It is known who used it."""
        ...


class Meter:
    """All channels of a machine. Not thread-safe: one thread samples and attributes."""

    def __init__(
        self,
        found: SensorSet,
        ledger: Ledger,
        clock: Clock,
        max_gap_s: float = 5.0,
        run_of: Callable[[ProcessId], str] = lambda _: "",
        calibrations: Mapping[str, Calibration] = MappingProxyType({}),
        keep_windows: int = 0,
        positions: Mapping[str, Position] = MappingProxyType({}),
        *,
        jobs: bool = False,
        idle_levels_w: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """With `jobs` the ledger is told who held what, and how far the energy of jobs may be off.

        `keep_windows` of each device are held back, to be split by what is known when `settle` is called.

        `positions` is where the accounts of the ledger stood before; each is used at its device's first reading.
        `idle_levels_w` are those that an earlier meter has learned, by device.
        """
        self.faults: deque[Fault] = deque(maxlen=RECENT_FAULTS)
        self._fault_log = FaultLog()
        self._ledger = ledger
        self._clock = clock
        self._run_of = run_of
        self._jobs = jobs
        self._idle_levels_w = idle_levels_w
        self._max_gap_s = max_gap_s
        self._calibrations = calibrations
        self._keep_windows = keep_windows
        self._apportioners: dict[str, Apportioner] = {}
        self._left_at = dict(positions)
        self._notice: Callable[[bool], None] = lambda _: None
        self._listener: Listener | None = None
        self.channels = self._open_channels(found)

    def on_read(self, notice: Callable[[bool], None]) -> None:
        """Have `notice` called before each read with False, and after it with True, before anything is believed."""
        self._notice = notice

    def tell(self, listener: Listener) -> None:
        """Tell `listener` of all windows from now on."""
        self._listener = listener

    def sample(self, channels: Sequence[Channel] | None = None) -> None:
        """Read the sensors of `channels`, by default all of them, once."""
        wanted = self.channels if channels is None else channels
        self._notice(False)
        announce(channel.sensor for channel in wanted if not channel.gone)
        for channel in wanted:
            for fault in channel.sample():
                self._record(fault)
        self._notice(True)
        if self._left_at:
            for channel in wanted:
                self._resume(channel)

    def positions(self) -> dict[str, Position]:
        """Where the account of each device stands against its counter, also of those that were not read yet."""
        now = {channel.sensor.device.id: channel.position for channel in self.channels}
        return {**{device: position for device, position in now.items() if position is not None}, **self._left_at}

    def prime(self) -> None:
        """Ask every source once and forget the answers: that work was done before the measurement.

        A GPU that nobody holds shows its idle level in its latest power.
        """
        for channels in self._by_source(self.channels):
            usage = self._collect(channels)
            if usage is None:
                continue
            for channel in channels:
                self._seed_idle(channel, usage)

    def attribute(self, kinds: Iterable[str] = ("gpu", "cpu", "dram")) -> None:
        """Close the window of the devices of `kinds`: ask who worked, split the energy, post it."""
        wanted = frozenset(kinds)
        channels = [channel for channel in self.channels if channel.sensor.device.kind in wanted]
        sources = self._by_source(channels)
        announce(sharing[0].source for sharing in sources if not all(channel.gone for channel in sharing))
        for sharing in sources:
            usage = self._collect(sharing)
            if usage is None:
                continue
            for channel in sharing:
                channel.worked(usage)
        for channel in channels:
            self._attribute(channel)
            for fault in channel.warnings():
                self._record(fault)

    def settle(self) -> None:
        """Split what was held back: nothing more will be known of it."""
        for apportioner in self._apportioners.values():
            self._post(apportioner.settle())

    def indistinct(self, device: str, processes: Iterable[ProcessId]) -> frozenset[ProcessId]:
        """Those of `processes` whose work on `device` was never told from that of others."""
        apportioner = self._apportioners.get(device)
        return apportioner.indistinct(processes) if apportioner else frozenset()

    def fault_records(self) -> tuple[FaultRecord, ...]:
        """All faults so far, repeated ones merged."""
        return self._fault_log.records()

    def powers_w(self) -> dict[str, float | None]:
        """Power now of the devices that are up."""
        return {channel.sensor.device.id: channel.power.latest_w for channel in self.channels if channel.up}

    def adopt(self, found: SensorSet) -> None:
        """Take in sensors that were found later; one whose device had gone takes its old channel's place.

        What the old channel has learned of the device goes to the new one, what it has measured to the ledger. What
        the device used in between is bridged as after a restart.
        """
        new = {sensor.device.id for sensor in found.sensors}
        old = {channel.sensor.device.id: channel for channel in self.channels if channel.sensor.device.id in new}
        for channel in old.values():
            self._attribute(channel)
            if channel.position is not None:
                self._left_at[channel.sensor.device.id] = channel.position
            channel.sensor.close()
        opened = self._open_channels(found)
        self.channels = [*(channel for channel in self.channels if channel.sensor.device.id not in new), *opened]

    def refresh_limits(self) -> None:
        """Tell the ledger the most that each device may draw now; who does not answer keeps what it said."""
        for channel in self.channels:
            sensor = channel.sensor
            if channel.up and isinstance(sensor, Conditioned):
                try:
                    self._ledger.bound(sensor.device.id, sensor.conditions().power_limit_w)
                except SensorError:
                    log.debug("no conditions of %s", sensor.device.id, exc_info=True)

    def refresh_methods(self) -> None:
        """Tell the ledger how the energy of each device is found now: a counter may get stuck, or recover."""
        for channel in self.channels:
            if channel.first is not None:
                device = channel.sensor.device.id
                self._ledger.found_by(device, channel.energy.method)
                self._ledger.learned(device, self._apportioner(channel).baseline.idle_w)

    def resume_after_sleep(self, now_s: float, slept_s: float, *, read: bool = False) -> None:
        """The machine was suspended for `slept_s`: all counters are counted anew, and each device has the gap told.

        With `read` the latest reading may be of after the sleep: energy that was not attributed yet is not believed.
        """
        self._left_at = {device: replace(at, counter_uj=None) for device, at in self._left_at.items()}
        for channel in self.channels:
            channel.restart(now_s, forget=read)
            detail = f"suspended for {slept_s:.1f} s"
            self._record(Fault(channel.sensor.device.id, now_s, "suspended", retry=True, detail=detail))

    def close(self) -> None:
        """Free the sensors."""
        for channel in self.channels:
            channel.sensor.close()

    def _open_channels(self, found: SensorSet) -> list[Channel]:
        for sensor in found.sensors:
            self._ledger.open_account(sensor.device, sensor.facts, self._calibrations.get(sensor.device.id))
        return [
            Channel(
                sensor,
                found.usage.get(sensor.device.id),
                self._max_gap_s,
                self._clock,
                self._calibrations.get(sensor.device.id),
            )
            for sensor in found.sensors
        ]

    def _resume(self, channel: Channel) -> None:
        """Post what was used between the account's last position and the first reading: nobody knows by whom."""
        device = channel.sensor.device
        if channel.first is None or device.id not in self._left_at:
            return
        left_at = self._left_at.pop(device.id)
        found = bridge(device, channel.sensor.traits, channel.calibration, left_at, channel.first)
        if found.delta is not None:
            self._post([without_usage(found.delta, Floor(0))])
        self._record(found.fault)

    def _by_source(self, channels: Iterable[Channel]) -> Sequence[Sequence[Channel]]:
        """All channels that share a source with one of `channels`: packages and memories share the processors'."""
        wanted = {id(channel.source) for channel in channels if channel.source is not None}
        sharing: dict[int, list[Channel]] = {}
        for channel in self.channels:
            if id(channel.source) in wanted:
                sharing.setdefault(id(channel.source), []).append(channel)
        return list(sharing.values())

    def _collect(self, sharing: Sequence[Channel]) -> Usage | None:
        """The usage of a source since it was last asked; None if it fails."""
        channel = sharing[0]
        source: UsageSource | None = channel.source
        if source is None or all(channel.gone for channel in sharing):
            return None
        try:
            return source.collect()
        except SensorError as error:
            now_s = self._clock.monotonic_s()
            self._record(Fault(channel.sensor.device.id, now_s, error.reason, retry=True, detail=str(error)))
            return None

    def _attribute(self, channel: Channel) -> None:
        taken = channel.take()
        if taken is not None:
            if self._listener is not None:
                self._listener.taken(channel, *taken)
            window, usage = taken
            if self._jobs and usage is not None:
                self._ledger.hold(window, usage)
            self._post(self._apportioner(channel).add(*taken))

    def _post(self, attributions: Iterable[Attribution]) -> None:
        for attribution in attributions:
            self._ledger.post(attribution, self._run_of)
            if self._listener is not None:
                self._listener.posted(attribution)

    def _apportioner(self, channel: Channel) -> Apportioner:
        """That of the device: what it has learned outlasts a sensor that leaves and comes back."""
        device = channel.sensor.device
        apportioner = self._apportioners.get(device.id)
        if apportioner is None:
            job_of = self._ledger.job_of if self._jobs else _no_job
            apportioner = apportioner_of(device, self._ledger.name_of, self._run_of, self._keep_windows, job_of)
            if device.id in self._idle_levels_w:
                apportioner.baseline.seed(self._idle_levels_w[device.id])
            self._apportioners[device.id] = apportioner
        return apportioner

    def _seed_idle(self, channel: Channel, usage: Usage) -> None:
        """Learn the idle level from the latest power where nobody holds or works."""
        baseline, power_w = self._apportioner(channel).baseline, channel.power.latest_w
        nobody = not (usage.holders or usage.unknown_holders or usage.busy_s or usage.unknown_busy_s > 0)
        if isinstance(baseline, GpuBaseline) and channel.up and nobody and power_w is not None:
            baseline.seed(power_w)

    def _record(self, fault: Fault) -> None:
        self.faults.append(fault)
        self._fault_log.add(fault)
        self._ledger.fault(fault)
        log.debug("%s: %s %s", fault.device, fault.reason, fault.detail)


def _no_job(_process: ProcessId) -> None:
    """Nobody asks for jobs."""
