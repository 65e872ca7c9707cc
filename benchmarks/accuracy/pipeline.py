"""Drives the product's meter as aipower-run or the agent does."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from aipower.attribution.apportion import TOGETHER
from aipower.books.ledger import Ledger
from aipower.daemon.sampling.tick import GPU_WINDOW_S
from aipower.meter import Meter
from aipower.record.measured import RUN
from aipower.record.runmeter import ATTRIBUTE_S, BURST_S, DENSE_S, KEEP_WINDOWS, SETTLE_FROM_S, SETTLE_S, hungriest
from aipower.seams import SensorSet, UsageSource
from benchmarks.accuracy.answers import answers
from benchmarks.accuracy.case import AFTER_S, Case, Part
from benchmarks.accuracy.compare import compared
from benchmarks.accuracy.estimates import Estimate
from benchmarks.accuracy.machine import SimulatedClock, SimulatedProcesses
from benchmarks.accuracy.sensors import SimulatedSensor
from benchmarks.accuracy.usage import Source

INTERVAL_S = 0.1
"""The usual pause of aipower-run."""
TICK_S = 1.0
"""The usual pause of the agent."""
BEFORE_S = (0.013, 0.033)
"""When the first reads of one device begin before the spawn; they take up to 11 ms."""
LATE_S = 0.001
"""How late a wait may end."""


class Watch:
    """One case under a meter."""

    def __init__(self, case: Case, rng: random.Random) -> None:
        self.case = case
        self._rng = rng
        self._clock = SimulatedClock(case.from_s - len(case.parts) * rng.uniform(*BEFORE_S), case.wall_steps)
        self.ledger = Ledger(SimulatedProcesses(case.names), max_processes=4096)
        for run in (RUN, TOGETHER, *(name for part in case.parts for name in part.groups)):
            self.ledger.register_run(run, "", "")
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
        """As the agent: a dense start before the work, then ticks until it is over, with the windows of the agent."""
        self.meter.sample()
        self.meter.prime()
        dense_until_s = self._clock.now_s + BURST_S
        while self._clock.now_s < dense_until_s:
            self.meter.sample()
            self._pause(DENSE_S)
        gpu_since_s = float("-inf")
        while self._clock.now_s < self.case.end_s + AFTER_S - TICK_S:
            self.meter.sample()
            if self._clock.now_s - gpu_since_s >= GPU_WINDOW_S:
                gpu_since_s = self._clock.now_s
                self.meter.attribute(("gpu",))
            self.meter.attribute(("cpu", "dram"))
            self._pause(TICK_S)

    def _meter(self) -> Meter:
        parts, clock, rng, calm_s = self.case.parts, self._clock, self._rng, self.case.from_s
        sensors = [SimulatedSensor(p.device, p.model, p.published, clock, rng, calm_s, p.outages) for p in parts]
        usage = {p.device.id: source for p in parts if (source := self._source(p)) is not None}
        calibrations = {p.device.id: p.calibration for p in parts if p.calibration is not None}
        return Meter(
            SensorSet(sensors, usage),
            self.ledger,
            self._clock,
            run_of=lambda process: self.case.run_of(process, RUN),
            calibrations=calibrations,
            keep_windows=KEEP_WINDOWS if self.case.watcher == "run" else 0,
        )

    def _source(self, part: Part) -> UsageSource | None:
        if part.source is not None:
            return part.source(self._clock)
        return Source(part.activity, self._clock, self._rng) if part.activity else None

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
            self._rest(now_s, min(next_s, end_s))

    def _rest(self, read_s: float, until_s: float) -> None:
        while self._clock.now_s < until_s:
            hungry, pause_s = hungriest(self.meter.channels)
            due_s = read_s + pause_s
            self._pause(min(due_s, until_s) - self._clock.now_s)
            if until_s <= due_s:
                return
            read_s = self._clock.now_s
            self.meter.sample(hungry)

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
    """Drive `case` through the real pipeline; where a second run follows, what matters is how the two compare."""
    first = _watched(case, rng)
    if case.again is None:
        return first
    second = _watched(case.again, rng)
    estimates = tuple(compared(first.estimates, second.estimates))
    return Watched(estimates, first.broken + second.broken, tuple(sorted({*first.faults, *second.faults})))


def _watched(case: Case, rng: random.Random) -> Watched:
    watch_ = Watch(case, rng)
    (watch_.run if case.watcher == "run" else watch_.agent)()
    faults = tuple(sorted({record.reason for record in watch_.meter.fault_records()}))
    return Watched(tuple(answers(case, watch_.meter, watch_.ledger)), tuple(_broken_laws(watch_)), faults)


def _broken_laws(watched: Watch) -> Iterable[str]:
    """Conservation to the microjoule, of the device and from its parts to its processes; and bugs that were caught."""
    for fault in watched.meter.fault_records():
        if fault.reason == "internal":
            yield f"{fault.device}: {fault.count} internal errors, as {fault.detail}"
    snapshot = watched.ledger.draft(0.0, "", watched.meter.powers_w()).snapshot()
    for state in snapshot.devices:
        parts_uj = state.idle_uj + state.context_uj + state.active_uj + state.unattributed_uj
        if parts_uj != state.energy_uj:
            yield f"{state.device.id}: parts {parts_uj} uJ of {state.energy_uj} uJ"
        own = [p.context_uj + p.active_uj for p in snapshot.processes if p.device == state.device]
        folded = [p.context_uj + p.active_uj for p in snapshot.folded if p.device == state.device]
        rows_uj = sum(own) + sum(folded)
        if rows_uj != state.context_uj + state.active_uj:
            yield f"{state.device.id}: processes {rows_uj} uJ of {state.context_uj + state.active_uj} uJ"
