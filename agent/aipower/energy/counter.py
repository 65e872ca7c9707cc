"""From raw counter values to energy: first value, wrap, reset and nonsense in one place."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from aipower.energy.changes import ChangeTimes, Seen
from aipower.model import Device, EnergyDelta, Fault
from aipower.seams import SensorTraits

POWER_MARGIN = 1.5
"""A step may exceed the power bound by this much before it is disbelieved: publication jitters."""
HELD_STEPS = 3
"""Steps held back at the start at most, while the period is not known."""
RECENT_STEPS = 4
"""Steps remembered for a second look at their instants, once the last has been seen sharply."""
SHORTEST_S = 1e-6
"""Length of a delta whose ends cannot be told apart."""


class Step(Struct, frozen=True, gc=False):
    """What one reading added."""

    deltas: tuple[EnergyDelta, ...] = ()
    fault: Fault | None = None
    moved: bool = False
    """True where the counter had news."""


NOTHING = Step()


class _Move(Struct, frozen=True, gc=False):
    """One step of the counter."""

    seen: Seen
    energy_uj: int


class CounterEnergy:
    """Follows one hardware counter.

    Each delta runs from one publication of the counter to the next. The first ones are held back until the period is
    known, and with it the instant before the first.
    """

    def __init__(self, device: Device, traits: SensorTraits) -> None:
        self._device = device
        self._traits = traits
        self._most_w = traits.max_power_w * POWER_MARGIN
        self.changes = ChangeTimes(traits.update_period_s)
        self._value_uj: int | None = None
        self._first_read_s = 0.0
        self._read_s = 0.0
        self._changed_s: float | None = None
        self._released_s: float | None = None
        self._held: list[_Move] = []
        self._recent: deque[_Move] = deque(maxlen=RECENT_STEPS)

    @property
    def changed_s(self) -> float | None:
        """When the counter was last published, as far as it has been seen to move."""
        return self._changed_s

    @property
    def timing_se_s(self) -> float:
        """Standard error of the instants at which its deltas begin and end."""
        return self.changes.se_s

    def advance(self, at_s: float, value_uj: int) -> Step:
        """The energy between the last two publications, if `value_uj`, read at `at_s`, is news."""
        if self._value_uj is None:
            self._restart(at_s, value_uj)
            return NOTHING
        if self._traits.counter_modulus_uj is not None and self._may_have_wrapped_unseen(at_s):
            seconds = f"in {at_s - self._read_s:.1f} s, in which it may have wrapped more than once"
            return self._begin_anew(at_s, value_uj, "gap", f" {seconds}; the energy of that time is missing")
        energy_uj = self._difference(self._value_uj, value_uj)
        if energy_uj == 0:
            self._read_s = at_s
            return NOTHING
        if energy_uj is None or not self._plausible(at_s, energy_uj):
            return self._begin_anew(at_s, value_uj, "counter_reset" if energy_uj is None else "implausible")
        move = _Move(Seen(self._read_s, at_s), energy_uj)
        self._value_uj, self._read_s = value_uj, at_s
        return Step(self._step(move), None, True)

    def flush(self) -> tuple[EnergyDelta, ...]:
        """The deltas held back since the start."""
        held, self._held = self._held, []
        if not held:
            return ()
        instants = self.changes.align([move.seen for move in held])
        start_s = instants[0] - self._periods_in_first(held[0], instants[0]) * self.changes.period_s
        deltas = _between(self._device, [start_s, *instants], held)
        self._changed_s = self._released_s = deltas[-1].end_s
        return deltas

    def _periods_in_first(self, move: _Move, changed_s: float) -> int:
        """How many publications the first step holds: all but the last may lie between the reads that show it."""
        return 1 + max(0, math.floor((changed_s - move.seen.after_s) / self.changes.period_s))

    def recent(self) -> tuple[EnergyDelta, ...]:
        """The latest steps again, their instants told from the sharpest sighting among them."""
        if len(self._recent) < 2:  # noqa: PLR2004 - a delta has two ends
            return ()
        instants = self.changes.align([move.seen for move in self._recent])
        return _between(self._device, instants, list(self._recent)[1:])

    def _begin_anew(self, at_s: float, value_uj: int, reason: str, more: str = "") -> Step:
        """Nothing is known of the step to this value: what was held is given, and counting starts again."""
        detail = f"counter went from {self._value_uj} to {value_uj} uJ{more}"
        held = self.flush()
        self._restart(at_s, value_uj)
        return Step(held, Fault(self._device.id, at_s, reason, retry=True, detail=detail))

    def _restart(self, at_s: float, value_uj: int) -> None:
        self._value_uj = value_uj
        self._first_read_s = self._read_s = at_s
        self._changed_s = self._released_s = None
        self._held = []
        self._recent.clear()
        self.changes.interrupt()

    def _may_have_wrapped_unseen(self, at_s: float) -> bool:
        """True where the device can have used all that the counter can show since it was last read."""
        modulus_uj = self._traits.counter_modulus_uj
        if modulus_uj is None:
            return False
        span_s = at_s - self._read_s + self._traits.update_period_s
        return self._traits.max_power_w * span_s * 1e6 >= modulus_uj

    def _difference(self, before_uj: int, value_uj: int) -> int | None:
        """Microjoules since the last value, over at most one wrap; None if the counter began anew."""
        if value_uj >= before_uj:
            return value_uj - before_uj
        modulus_uj = self._traits.counter_modulus_uj
        if modulus_uj is None or not 0 <= value_uj <= before_uj <= modulus_uj:
            return None
        return value_uj + modulus_uj - before_uj

    def _plausible(self, at_s: float, energy_uj: int) -> bool:
        period_s = self.changes.believed_s
        since_s = self._changed_s if self._changed_s is not None else self._first_read_s - period_s
        return energy_uj <= self._most_w * (at_s - since_s + period_s) * 1e6

    def _step(self, move: _Move) -> tuple[EnergyDelta, ...]:
        changed_s = self.changes.observe(move.seen)
        self._recent.append(move)
        if self._released_s is None:
            self._changed_s = changed_s
            self._held.append(move)
            return self.flush() if self._known_enough() else ()
        start_s = self._released_s
        end_s = max(changed_s, start_s + SHORTEST_S)
        self._changed_s = self._released_s = end_s
        return (EnergyDelta(self._device, start_s, end_s, move.energy_uj),)

    def _known_enough(self) -> bool:
        return len(self._held) >= HELD_STEPS or (self.changes.measured and len(self._held) > 1)


def _between(device: Device, instants: Sequence[float], moves: Sequence[_Move]) -> tuple[EnergyDelta, ...]:
    """One delta per move, from each instant to the next, each with a length."""
    deltas: list[EnergyDelta] = []
    start_s = instants[0]
    for move, instant_s in zip(moves, instants[1:], strict=True):
        end_s = max(instant_s, start_s + SHORTEST_S)
        deltas.append(EnergyDelta(device, start_s, end_s, move.energy_uj))
        start_s = end_s
    return tuple(deltas)
