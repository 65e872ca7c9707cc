"""The energy of one device: its counter while that works, the integral of its power where it does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aipower.energy.counter import SHORTEST_S, CounterEnergy, Step
from aipower.energy.edges import SHARPEST_S, Edges
from aipower.energy.integral import PowerIntegral
from aipower.energy.shadow import Shadow
from aipower.energy.window import ending_at, join, mean_w, retimed, starting_at
from aipower.model import Device, EnergyDelta, Fault, Method, Reading
from aipower.seams import SensorTraits

STUCK_S = 1.0
STUCK_PERIODS = 10
"""A device that draws power moves its counter each period (100 ms at most, science of A2); ten missed in a row are
not jitter. Some drivers and mocks serve a constant."""
RECOVERED_STEPS = 3
"""Steps of a counter that was stuck before it is trusted again."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a reading brought: energy to account for and things that went wrong."""

    deltas: tuple[EnergyDelta, ...] = ()
    faults: tuple[Fault, ...] = ()


class DeviceEnergy:
    """Turns the readings of one sensor into deltas that never overlap and never invent."""

    def __init__(self, device: Device, traits: SensorTraits, max_gap_s: float) -> None:
        self._device = device
        self._traits = traits
        self._counter = CounterEnergy(device, traits)
        self._integral = PowerIntegral(device, max_gap_s)
        self._shadow = Shadow()
        self._edges = Edges()
        self._stands_still = False
        self._gap: Fault | None = None
        self._integrating = False
        self._recovered = 0
        self._read_s = float("-inf")
        self._until_s = float("-inf")
        self._moved_s: float | None = None
        self._last: EnergyDelta | None = None
        self._opening_w: float | None = None
        self._before_run_w: float | None = None

    @property
    def method(self) -> Method:
        """How energy is being found now."""
        return "integrated" if self._integrating else "counter"

    @property
    def period_s(self) -> float:
        """How often the counter moves, as far as it is known by now."""
        return self._counter.changes.period_s

    @property
    def sighting_s(self) -> float:
        """How well the instant of the latest change is known by itself, in seconds."""
        seen = self._counter.changes.last
        return 0.0 if seen is None else min(seen.width_s, self.period_s)

    @property
    def edge_s(self) -> float:
        """How well the two ends of the account are placed together, in seconds of power (95 %)."""
        return math.hypot(SHARPEST_S, SHARPEST_S) if self._integrating else self._edges.error_s(self.period_s)

    def knows(self, at_s: float) -> bool:
        """True when the energy up to `at_s` is known, held back or not, and the last update's instant is sharp."""
        if self._integrating:
            return self._until_s >= at_s
        seen, changed_s = self._counter.changes.last, self._counter.changed_s
        if seen is None or changed_s is None:
            return False
        return seen.after_s >= at_s or (seen.dense and changed_s >= at_s)

    def open(self, at_s: float, power_w: float | None) -> None:
        """Account for nothing before `at_s`; `power_w` is the power just before it."""
        self._until_s = max(at_s, self._until_s)
        self._opening_w = self._before_run_w = power_w
        self._edges.open(at_s)

    def advance(self, reading: Reading) -> Progress:
        """The energy that `reading` makes known. A reading that is not later than the last is no news."""
        if reading.at_s <= self._read_s:
            return Progress()
        self._read_s = reading.at_s
        faults = self._integrate(reading)
        step = self._count(reading)
        if step.fault is not None:
            faults.append(step.fault)
        deltas = self._choose(reading, step, faults)
        return Progress(self._after_the_last(deltas), tuple(faults))

    def close(self, at_s: float) -> tuple[EnergyDelta, ...]:
        """What is left up to `at_s`: what was held back, and the tail that the counter has not shown yet."""
        if self._integrating:
            return ()
        held = self._after_the_last(self._counter.flush())
        changed_s = self._counter.changed_s
        self._edges.close(at_s, max(0.0, at_s - changed_s) if changed_s is not None else self.period_s)
        if self._last is None:
            return self._after_the_last(self._shadow.take())
        tail = self._tail(at_s)
        return held if tail is None else (*held, *self._after_the_last((tail,)))

    def cut(self, deltas: Sequence[EnergyDelta], at_s: float) -> tuple[EnergyDelta, ...]:
        """The part of `deltas` (the latest ones of this device) that lies before `at_s`.

        Flat power is taken as known before the cut from the step before, and after it from the step after or from
        before the run.
        """
        steps = self._counter.recent()
        timed = retimed(deltas, steps)
        kept: list[EnergyDelta] = []
        for number, delta in enumerate(timed):
            earlier = [step for step in steps if step.end_s <= delta.start_s + SHORTEST_S]
            before = kept[-1] if kept else earlier[-1] if earlier else None
            after_w = mean_w(timed[number + 1]) if number + 1 < len(timed) else self._after_w(delta)
            part = ending_at(delta, at_s, mean_w(before) if before else None, after_w)
            if part is not None:
                kept.append(part)
        return tuple(kept)

    def _after_w(self, delta: EnergyDelta) -> float | None:
        return self._before_run_w if delta.method == "counter" else None

    def _integrate(self, reading: Reading) -> list[Fault]:
        """Keep the integral of power beside the counter; what cannot be is not believed."""
        power_w = reading.power_w
        if power_w is None:
            return []
        if not (math.isfinite(power_w) and 0 <= power_w <= self._traits.max_power_w):
            return [Fault(self._device.id, reading.at_s, "implausible", retry=True, detail=f"power of {power_w} W")]
        gap_s = self._integral.gap_s(reading.at_s)
        if gap_s is not None:
            detail = f"no power for {gap_s:.1f} s; its energy is missing"
            self._gap = Fault(self._device.id, reading.at_s, "gap", retry=True, detail=detail)
        part = self._integral.advance(reading.at_s, power_w)
        if part is not None:
            self._shadow.add(part)
        return []

    def _count(self, reading: Reading) -> Step:
        if reading.counter_uj is None:
            return Step()
        step = self._counter.advance(reading.at_s, reading.counter_uj)
        if self._moved_s is None or step.moved or step.fault is not None:
            self._moved_s, self._stands_still = reading.at_s, False
        if step.moved and self._counter.changes.last is not None:
            self._edges.see(self._counter.changes.last)
        self._recovered = self._recovered + 1 if step.moved else self._recovered
        return step

    def _choose(self, reading: Reading, step: Step, faults: list[Fault]) -> tuple[EnergyDelta, ...]:
        """The counter's deltas, or the integral's while the counter is missing or stands still."""
        if not self._integrating and self._stuck(reading.at_s):
            self._integrating, self._recovered = True, 0
            if self._moved_s is not None:
                faults.append(self._stuck_fault(reading.at_s, "; energy is integrated from power"))
            return (*self._counter.flush(), *self._integrated(faults))
        if self._integrating and (self._recovered < RECOVERED_STEPS or not step.deltas):
            return self._integrated(faults)
        self._integrating = False
        if self._unseen(reading.at_s):
            self._stands_still = True
            faults.append(self._stuck_fault(reading.at_s, ", and there is no power reading: its energy is missing"))
        if step.fault is not None:
            return (*step.deltas, *self._integrated(faults))
        if step.deltas:
            self._gap = None
            self._shadow.drop_before(step.deltas[-1].end_s)
        return step.deltas

    def _integrated(self, faults: list[Fault]) -> tuple[EnergyDelta, ...]:
        """What the integral has beyond the counter, and the gap in it if there is one."""
        if self._gap is not None:
            faults.append(self._gap)
            self._gap = None
        return self._shadow.take()

    def _stuck(self, at_s: float) -> bool:
        """True when the counter has stood still so long that power would have moved it, or there is none."""
        if self._moved_s is None:
            return True
        return self._shadow.energy_uj > 0 and self._still(at_s, self._moved_s)

    def _unseen(self, at_s: float) -> bool:
        """True once for a counter that stands still without a power reading that would say why."""
        if self._stands_still or self._moved_s is None or self._integral.last is not None:
            return False
        return self._still(at_s, self._moved_s)

    def _still(self, at_s: float, moved_s: float) -> bool:
        return at_s - moved_s > max(STUCK_S, STUCK_PERIODS * self.period_s)

    def _stuck_fault(self, at_s: float, consequence: str) -> Fault:
        detail = f"the counter stands still{consequence}"
        return Fault(self._device.id, at_s, "counter_stuck", retry=True, detail=detail)

    def _tail(self, at_s: float) -> EnergyDelta | None:
        """From the last publication to `at_s`: at its latest power for one period, by the power readings beyond.

        The latest power is that of a few steps, since one of them may hold two updates.
        """
        since_s, last = self._until_s, self._last
        if last is None or since_s >= at_s:
            return None
        covered = [part for part in self._shadow.take() if part.end_s > since_s]
        if at_s - since_s > 2 * self._counter.changes.period_s and covered:
            return None if covered[-1].end_s < at_s else self._joined(covered, since_s, at_s)
        span_s = min(at_s - since_s, self._counter.changes.period_s)
        watts = mean_w(join(self._counter.recent() or (last,)))
        return EnergyDelta(self._device, since_s, since_s + span_s, round(watts * span_s * 1e6), "integrated")

    def _joined(self, parts: Sequence[EnergyDelta], start_s: float, end_s: float) -> EnergyDelta | None:
        inner = [starting_at(part, start_s, None, None) for part in parts]
        energy_uj = sum(
            cut.energy_uj for part in inner if part is not None and (cut := ending_at(part, end_s, None, None))
        )
        return EnergyDelta(self._device, start_s, end_s, energy_uj, "integrated")

    def _after_the_last(self, deltas: Sequence[EnergyDelta]) -> tuple[EnergyDelta, ...]:
        """`deltas` without what lies before the opening or was accounted for already."""
        kept = []
        for number, delta in enumerate(deltas):
            after_w = mean_w(deltas[number + 1]) if number + 1 < len(deltas) else None
            part = starting_at(delta, self._until_s, self._opening_w, after_w)
            if part is None:
                continue
            self._until_s, self._opening_w = part.end_s, None
            self._last = part
            kept.append(part)
        return tuple(kept)
