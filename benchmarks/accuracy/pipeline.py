"""The only module that touches the product's API: drives a meter as aipower-run or the agent does, and reads it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from aipower.ledger import Ledger
from aipower.meter import Channel, Meter
from aipower.model import UJ_PER_J
from aipower.run.books import _identifiable as identifiable
from aipower.run.device_rows import Span, device_row
from aipower.run.measure import ATTRIBUTE_S, BURST_S, DENSE_S, KEEP_WINDOWS, RUN, SETTLE_FROM_S, SETTLE_S
from aipower.run.record import DeviceRecord
from aipower.seams import SensorSet
from aipower.uncertainty import part_error
from benchmarks.accuracy.case import AFTER_S, Case, Part
from benchmarks.accuracy.estimates import Estimate, Interval
from benchmarks.accuracy.machine import SimulatedClock, SimulatedProcesses
from benchmarks.accuracy.sensors import SimulatedSensor
from benchmarks.accuracy.usage import Source

METHOD = "aipower"
WARNINGS = frozenset({"alias", "disagreement"})
"""Faults by which aipower says that it may not see all of a device's energy."""
INTERVAL_S = 0.1
"""The usual pause of aipower-run."""
TICK_S = 1.0
"""The usual pause of the agent."""
BEFORE_S = (0.013, 0.033)
"""When the first reads begin before the spawn; they take up to 11 ms."""
LATE_S = 0.001
"""How late a wait may end."""


class Watch:
    """One case under a meter."""

    def __init__(self, case: Case, rng: random.Random) -> None:
        self.case = case
        self._rng = rng
        self._clock = SimulatedClock(case.from_s - rng.uniform(*BEFORE_S))
        self.ledger = Ledger(SimulatedProcesses(case.names), max_processes=4096)
        self.meter = self._meter()

    def run(self) -> None:
        """As aipower-run: from before the spawn to the settled account."""
        start_s, end_s = self.case.start_s, self.case.end_s
        self.meter.sample()
        self.meter.prime()
        self._wait_until(start_s)
        for channel in self.meter.channels:
            channel.open(start_s)
        self._read_until_end(start_s, end_s)
        for channel in self.meter.channels:
            channel.end(end_s)
        self.meter.sample()
        self._settle(end_s, end_s + (SETTLE_S if end_s - start_s >= SETTLE_FROM_S else 0.0))
        for channel in self.meter.channels:
            channel.close(end_s)
        self.meter.attribute()
        self.meter.settle()

    def agent(self) -> None:
        """As the agent: a dense start before the work, then ticks until it is over."""
        self.meter.sample()
        self.meter.prime()
        dense_until_s = self._clock.now_s + BURST_S
        while self._clock.now_s < dense_until_s:
            self.meter.sample()
            self._pause(DENSE_S)
        while self._clock.now_s < self.case.end_s + AFTER_S - TICK_S:
            self.meter.sample()
            self.meter.attribute()
            self._pause(TICK_S)

    def _meter(self) -> Meter:
        parts, clock, rng, calm_s = self.case.parts, self._clock, self._rng, self.case.from_s
        sensors = [SimulatedSensor(p.device, p.model, p.published, clock, rng, calm_s) for p in parts]
        usage = {p.device.id: Source(p.activity, clock, rng) for p in parts if p.activity}
        calibrations = {p.device.id: p.calibration for p in parts if p.calibration is not None}
        return Meter(
            SensorSet(sensors, usage),
            self.ledger,
            self._clock,
            run_of=lambda _: RUN,
            calibrations=calibrations,
            keep_windows=KEEP_WINDOWS if self.case.watcher == "run" else 0,
        )

    def _read_until_end(self, start_s: float, end_s: float) -> None:
        next_s, attribute_s = start_s, start_s + ATTRIBUTE_S
        while (now_s := self._clock.now_s) < end_s:
            self.meter.sample()
            if now_s >= attribute_s:
                self.meter.attribute()
                attribute_s = now_s + ATTRIBUTE_S
            if now_s < start_s + BURST_S:
                self._pause(min(DENSE_S, end_s - self._clock.now_s))
                continue
            next_s = max(next_s + INTERVAL_S, self._clock.now_s)
            self._pause(min(next_s, end_s) - self._clock.now_s)

    def _settle(self, end_s: float, until_s: float) -> None:
        while self._clock.now_s < until_s and (open_ := [c for c in self.meter.channels if not c.settled(end_s)]):
            self._pause(DENSE_S)
            self.meter.sample(open_)

    def _wait_until(self, at_s: float) -> None:
        self._clock.now_s = max(self._clock.now_s, at_s)

    def _pause(self, seconds: float) -> None:
        self._clock.sleep(max(0.0, seconds) + self._rng.random() * LATE_S)


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of it."""

    estimates: tuple[Estimate, ...]
    broken: tuple[str, ...]
    faults: tuple[str, ...]


def watch(case: Case, rng: random.Random) -> Watched:
    """Drive `case` through the real pipeline."""
    watched = Watch(case, rng)
    (watched.run if case.watcher == "run" else watched.agent)()
    estimates = [
        e
        for part, channel in zip(case.parts, watched.meter.channels, strict=True)
        for e in _estimates(watched, part, channel)
    ]
    faults = tuple(sorted({record.reason for record in watched.meter.fault_records()}))
    return Watched(tuple(estimates), tuple(_broken_laws(watched)), faults)


def _estimates(watched: Watch, part: Part, channel: Channel) -> Iterable[Estimate]:
    case, ledger = watched.case, watched.ledger
    if case.watcher == "run":
        row = device_row(channel, ledger, Span(case.end_s - case.start_s, 0.0, 1))
        reasons = {fault.reason for fault in watched.meter.fault_records() if fault.device == part.device.id}
        yield from _of_device(row, part.power.between_j(case.start_s, case.end_s), bool(reasons & WARNINGS))
        if part.joules:
            yield from _of_run(row, sum(part.joules.values()))
    yield from _of_processes(watched.meter, ledger, part)


def _of_device(row: DeviceRecord, true_j: float, warned: bool) -> Iterable[Estimate]:  # noqa: FBT001 - a fact, no mode
    if row.energy_j is not None and row.interval_j is not None:
        yield Estimate(METHOD, "device", true_j, row.energy_j, row.interval_j, row.repeatable_interval_j, warned)


def _of_run(row: DeviceRecord, true_j: float) -> Iterable[Estimate]:
    if row.run_energy_j is not None and row.run_interval_j is not None:
        repeatable_j = row.repeatable_run_interval_j
        yield Estimate(METHOD, "run", true_j, row.run_energy_j, row.run_interval_j, repeatable_j)


def _of_processes(meter: Meter, ledger: Ledger, part: Part) -> Iterable[Estimate]:
    """A process that was never seen has 0 J and, since nothing is stated of it, no interval."""
    accounts = ledger.processes()
    for process, true_j in part.joules.items():
        account, stated = ledger.part(process, part.device.id), process in accounts
        found_j = account.energy_uj / UJ_PER_J
        error = part_error(account, ledger.scale(part.device))
        yield Estimate(
            METHOD,
            "process",
            true_j,
            found_j,
            _around(found_j, error.absolute_95_uj / UJ_PER_J) if stated else None,
            _around(found_j, error.repeatable_95_uj / UJ_PER_J) if stated else None,
            stated and not identifiable(process, accounts[process], meter, ledger),
        )
    for name, members in part.groups.items():
        found_j = sum(ledger.part(member, part.device.id).energy_uj for member in members) / UJ_PER_J
        yield Estimate(METHOD, name, sum(part.joules[member] for member in members), found_j)


def _around(middle: float, half: float) -> Interval:
    return max(0.0, middle - half), middle + half


def _broken_laws(watched: Watch) -> Iterable[str]:
    """Conservation to the microjoule, of the device and from its parts to its processes; and bugs that were caught."""
    for fault in watched.meter.fault_records():
        if fault.reason == "internal":
            yield f"{fault.device}: {fault.count} internal errors, as {fault.detail}"
    snapshot = watched.ledger.snapshot(0.0, "", watched.meter.powers_w())
    for state in snapshot.devices:
        parts_uj = state.idle_uj + state.context_uj + state.active_uj + state.unattributed_uj
        if parts_uj != state.energy_uj:
            yield f"{state.device.id}: parts {parts_uj} uJ of {state.energy_uj} uJ"
        own = [p.context_uj + p.active_uj for p in snapshot.processes if p.device == state.device]
        folded = [p.context_uj + p.active_uj for p in snapshot.folded if p.device == state.device]
        rows_uj = sum(own) + sum(folded)
        if rows_uj != state.context_uj + state.active_uj:
            yield f"{state.device.id}: processes {rows_uj} uJ of {state.context_uj + state.active_uj} uJ"
