"""The energy of one device: its counter while that works, the integral of its power where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aipower.energy.counter import CounterEnergy
from aipower.energy.integral import PowerIntegral
from aipower.energy.window import ending_at, mean_w, starting_at
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
        self._max_gap_s = max_gap_s
        self._counter = CounterEnergy(device, traits)
        self._integral = PowerIntegral(device, max_gap_s)
        self._shadow: list[EnergyDelta] = []
        self._integrating = False
        self._recovered = 0
        self._until_s = float("-inf")
        self._still_since_s: float | None = None
        self._last: EnergyDelta | None = None
        self._opening_w: float | None = None

    @property
    def method(self) -> Method:
        """How energy is being found now."""
        return "integrated" if self._integrating else "counter"

    @property
    def edge_s(self) -> float:
        """How well the instant of a publication is known, in seconds."""
        changes = self._counter.changes
        return 0.005 if changes.measured or self._integrating else changes.period_s / 2

    def open(self, at_s: float, power_w: float | None) -> None:
        """Account for nothing before `at_s`; `power_w` is the power just before it."""
        self._until_s, self._opening_w = at_s, power_w

    def advance(self, reading: Reading) -> Progress:
        """The energy that `reading` makes known."""
        shadow = None
        if reading.power_w is not None:
            shadow = self._integral.advance(reading.at_s, reading.power_w)
        if shadow is not None:
            self._shadow.append(shadow)
        step_deltas, faults = self._count(reading)
        deltas = self._choose(reading, step_deltas, faults)
        return Progress(self._after_the_last(deltas), tuple(faults))

    def close(self, at_s: float) -> tuple[EnergyDelta, ...]:
        """What is left up to `at_s`: what was held back, and the tail that the counter has not shown yet."""
        if self._integrating:
            return ()
        held = self._after_the_last(self._counter.flush())
        if self._last is None and self._shadow:
            return self._after_the_last(self._take_shadow())
        tail = self._tail(at_s)
        return held if tail is None else (*held, *self._after_the_last((tail,)))

    def cut(self, deltas: Sequence[EnergyDelta], at_s: float) -> tuple[EnergyDelta, ...]:
        """The part of `deltas` (the latest ones of this device) that lies before `at_s`."""
        kept: list[EnergyDelta] = []
        for delta in deltas:
            before_w = mean_w(kept[-1]) if kept else None
            part = ending_at(delta, at_s, before_w, None)
            if part is not None:
                kept.append(part)
        return tuple(kept)

    def _count(self, reading: Reading) -> tuple[tuple[EnergyDelta, ...], list[Fault]]:
        if reading.counter_uj is None:
            return (), []
        before_s = self._counter.changed_s
        step = self._counter.advance(reading.at_s, reading.counter_uj)
        moved = self._counter.changed_s is not None and self._counter.changed_s != before_s
        if self._still_since_s is None or moved or step.fault is not None:
            self._still_since_s = reading.at_s
        self._recovered = self._recovered + 1 if moved else self._recovered
        return step.deltas, [] if step.fault is None else [step.fault]

    def _choose(
        self, reading: Reading, counted: tuple[EnergyDelta, ...], faults: list[Fault]
    ) -> tuple[EnergyDelta, ...]:
        """The counter's deltas, or the integral's while the counter is missing or stands still."""
        if not self._integrating and self._stuck(reading.at_s):
            self._integrating, self._recovered = True, 0
            if self._still_since_s is not None:
                faults.append(Fault(self._device.id, reading.at_s, "counter_stuck", retry=True))
        if not self._integrating:
            if counted:
                self._shadow = [part for part in self._shadow if part.end_s > counted[-1].end_s]
            return counted
        if self._recovered >= RECOVERED_STEPS and counted:
            self._integrating = False
            self._shadow.clear()
            return counted
        return self._take_shadow()

    def _stuck(self, at_s: float) -> bool:
        """True when the counter has stood still so long that power would have moved it, or there is none."""
        if not self._shadow or sum(part.energy_uj for part in self._shadow) == 0:
            return False
        if self._still_since_s is None:
            return True
        limit_s = max(STUCK_S, STUCK_PERIODS * self._counter.changes.period_s)
        return at_s - self._still_since_s > limit_s

    def _take_shadow(self) -> tuple[EnergyDelta, ...]:
        taken, self._shadow = tuple(self._shadow), []
        return taken

    def _tail(self, at_s: float) -> EnergyDelta | None:
        """From the last publication to `at_s` at the latest known power, at most one period of it."""
        since_s = self._counter.changed_s
        power = self._integral.last
        watts = mean_w(self._last) if self._last is not None else power.power_w if power else None
        if since_s is None or watts is None or since_s >= at_s:
            return None
        energy_uj = round(watts * min(at_s - since_s, self._counter.changes.period_s) * 1e6)
        return EnergyDelta(self._device, since_s, at_s, energy_uj, "integrated")

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
