"""From raw counter values to energy: first value, wrap, reset and nonsense in one place."""

from __future__ import annotations

from dataclasses import dataclass

from aipower.energy.changes import ChangeTimes
from aipower.model import Device, EnergyDelta, Fault
from aipower.seams import SensorTraits

POWER_MARGIN = 1.5
"""A step may exceed the power bound by this much before it is disbelieved: publication jitters."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one reading added."""

    deltas: tuple[EnergyDelta, ...] = ()
    fault: Fault | None = None


class CounterEnergy:
    """Follows one hardware counter.

    Each delta runs from one publication of the counter to the next. The first is held back until the second is seen,
    because only then is the period known and with it the instant before the first.
    """

    def __init__(self, device: Device, traits: SensorTraits) -> None:
        self._device = device
        self._traits = traits
        self.changes = ChangeTimes(traits.update_period_s)
        self._value_uj: int | None = None
        self._first_read_s = 0.0
        self._read_s = 0.0
        self._changed_s: float | None = None
        self._held: tuple[float, int] | None = None

    @property
    def changed_s(self) -> float | None:
        """When the counter was last published, as far as it has been seen to move."""
        if self._held is not None:
            return self._held[0]
        return self._changed_s

    def advance(self, at_s: float, value_uj: int) -> Step:
        """The energy between the last two publications, if `value_uj`, read at `at_s`, is news."""
        if self._value_uj is None:
            self._restart(at_s, value_uj)
            return Step()
        energy_uj = self._difference(value_uj)
        if energy_uj is None or not self._plausible(at_s, energy_uj):
            reason = "counter_reset" if energy_uj is None else "implausible"
            detail = f"counter went from {self._value_uj} to {value_uj} uJ"
            self._restart(at_s, value_uj)
            return Step(fault=Fault(self._device.id, at_s, reason, retry=True, detail=detail))
        if energy_uj == 0:
            self._read_s = at_s
            return Step()
        changed_s = self.changes.observe(self._read_s, at_s)
        self._value_uj, self._read_s = value_uj, at_s
        return Step(self._step(changed_s, energy_uj))

    def flush(self) -> tuple[EnergyDelta, ...]:
        """The delta held back, if the counter moved only once since the start."""
        if self._held is None:
            return ()
        (changed_s, energy_uj), self._held = self._held, None
        start_s = min(changed_s - self.changes.period_s, self._first_read_s)
        self._changed_s = changed_s
        return (EnergyDelta(self._device, start_s, changed_s, energy_uj),)

    def _restart(self, at_s: float, value_uj: int) -> None:
        self._value_uj = value_uj
        self._first_read_s = self._read_s = at_s
        self._changed_s = self._held = None

    def _difference(self, value_uj: int) -> int | None:
        """Microjoules since the last value, over at most one wrap; None if the counter began anew."""
        assert self._value_uj is not None  # noqa: S101 - narrows for the type checker, set before every call
        if value_uj >= self._value_uj:
            return value_uj - self._value_uj
        modulus_uj = self._traits.counter_modulus_uj
        return None if modulus_uj is None else value_uj + modulus_uj - self._value_uj

    def _plausible(self, at_s: float, energy_uj: int) -> bool:
        since_s = self.changed_s if self.changed_s is not None else self._first_read_s - self.changes.period_s
        span_s = at_s - since_s + self.changes.period_s
        return energy_uj <= self._traits.max_power_w * POWER_MARGIN * span_s * 1e6

    def _step(self, changed_s: float, energy_uj: int) -> tuple[EnergyDelta, ...]:
        if self._changed_s is None and self._held is None:
            self._held = (changed_s, energy_uj)
            return ()
        held = self.flush()
        assert self._changed_s is not None  # noqa: S101 - flush or an earlier step has set it
        start_s, self._changed_s = self._changed_s, changed_s
        return (*held, EnergyDelta(self._device, start_s, max(changed_s, start_s + 1e-6), energy_uj))
