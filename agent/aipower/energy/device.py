"""The energy of one device: its counter while that works, the integral of its power where it does not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from aipower.energy import split
from aipower.energy.agreement import Disagreement
from aipower.energy.counter import NOTHING, CounterEnergy, Step
from aipower.energy.doubts import Doubts
from aipower.energy.edges import HELD_STEPS, Edges
from aipower.energy.levels import Level
from aipower.energy.powers import Powers
from aipower.energy.steps import Steps
from aipower.energy.stillness import Stillness
from aipower.energy.window import integrated, join, retimed, starting_at, within_uj
from aipower.model import Device, EnergyDelta, Fault, Method, Reading, Usage
from aipower.seams import SensorTraits

EACH_VALUE = 0.8
"""Reads are so many periods apart where each value counts."""
RECOVERED_STEPS = 3
"""Steps of a counter that was stuck before it is trusted again."""


class Progress(Struct, frozen=True, gc=False):
    """What a reading brought: energy to account for and things that went wrong."""

    deltas: tuple[EnergyDelta, ...] = ()
    faults: tuple[Fault, ...] = ()


NO_PROGRESS = Progress()


class DeviceEnergy:
    """Turns the readings of one sensor into deltas that never overlap and never invent."""

    def __init__(self, device: Device, traits: SensorTraits, max_gap_s: float) -> None:
        self._device = device
        self._counter = CounterEnergy(device, traits)
        self.powers = Powers(device, traits, max_gap_s)
        self._steps = Steps(self.powers, traits.update_period_s)
        self._edges = Edges((self.powers.levels, self._steps.levels))
        self._opening: list[EnergyDelta] = []
        self._integrating = False
        self._recovered = 0
        self._read_s = float("-inf")
        self._until_s = float("-inf")
        self._stillness = Stillness(device)
        self._doubts = Doubts(device, self.powers, traits.max_power_w)
        self._last: EnergyDelta | None = None

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
    def look_again_s(self) -> float:
        """A reading is due so soon that no value of the sensor is missed, where energy hangs on each of them."""
        return EACH_VALUE * self.powers.period_s if self._integrating else math.inf

    @property
    def se_uj(self) -> float:
        """Standard error of the account's energy for its edges, for what was not seen and for contradictions."""
        return self._doubts.se_uj(self._edges.se_uj)

    @property
    def disagreement(self) -> Disagreement | None:
        """What counter and power readings say where both cannot be right."""
        return self.powers.disagreement

    def knows(self, at_s: float) -> bool:
        """True when the energy up to `at_s` is known, held back or not, and the last update's instant is sharp."""
        if self._integrating:
            return self._until_s >= at_s
        seen, changed_s = self._counter.changes.last, self._counter.changed_s
        if seen is None or changed_s is None:
            return False
        return seen.after_s >= at_s or (seen.dense and changed_s >= at_s)

    def open(self, at_s: float, pending: Sequence[EnergyDelta] = ()) -> None:
        """Account for nothing before `at_s`; of `pending`, which was handed out before, take back what lies beyond."""
        self._opening = [delta for delta in pending if delta.end_s > at_s]
        self._until_s = at_s
        self._edges.open(at_s)
        self._doubts.open(at_s)

    def end(self, at_s: float) -> None:
        """The account ends at `at_s`; what is read from now on only tells what was before."""
        self._edges.end(at_s)
        self._doubts.end(at_s)

    def worked(self, usage: Usage | None, until_s: float) -> Sequence[Fault]:
        """Warnings of a load that hides: up to `until_s` the device worked as `usage` says, if anybody can tell."""
        self._doubts.worked(usage, until_s, integrating=self._integrating)
        return self._doubts.warnings()

    def advance(self, reading: Reading) -> Progress:
        """The energy that `reading` makes known. A reading that is not later than the last is no news."""
        if reading.at_s <= self._read_s:
            return NO_PROGRESS
        self._read_s = reading.at_s
        implausible = self.powers.advance(reading)
        faults = [] if implausible is None else [implausible]
        step = NOTHING if reading.counter_uj is None else self._count(reading, reading.counter_uj)
        if step.fault is not None:
            faults.append(step.fault)
            self.powers.interrupted()
        # A counter that has moved is neither stuck nor at fault.
        usual = step.moved and not self._integrating
        deltas = self._counted(step) if usual else self._choose(reading, step, faults)
        if deltas or not self._edges.opened:
            deltas = self._after_the_last(deltas)
        self._doubts.see(reading, integrating=self._integrating)
        if self._doubts.untold:
            faults.extend(self._doubts.warnings())
        return Progress(deltas, tuple(faults)) if deltas or faults else NO_PROGRESS

    def close(self, at_s: float, pending: Sequence[EnergyDelta]) -> tuple[EnergyDelta, ...]:
        """All deltas of the account up to `at_s`: the `pending` ones, what was held back, and what is yet unseen."""
        self.end(at_s)
        deltas = [*pending, *self._after_the_last(self._held()), *self._release()]
        if self._until_s >= at_s:
            return self._cut(deltas, at_s)
        deltas.extend(self._tail(at_s))
        self._until_s = at_s
        return tuple(deltas)

    def _held(self) -> tuple[EnergyDelta, ...]:
        """What the counter has not handed out yet; where it never moved, what the power readings say."""
        held = () if self._integrating else self._counter.flush()
        moved = held or self._opening or self._last
        return held if moved and not self._integrating else self._shadowed()

    def _shadowed(self) -> tuple[EnergyDelta, ...]:
        """What the power readings say beyond the counter."""
        return tuple([part.of(self._device) for part in self.powers.shadow.take()])

    def _cut(self, deltas: Sequence[EnergyDelta], at_s: float) -> tuple[EnergyDelta, ...]:
        """`deltas` up to `at_s`, with the instants that are known better by now."""
        kept: list[EnergyDelta] = []
        for delta in deltas if self._integrating else retimed(deltas, self._counter.recent()):
            if delta.end_s <= at_s:
                kept.append(delta)
            elif delta.start_s < at_s:
                kept.append(split.before(self._edges.last_split(delta, at_s, *self._errors(delta))))
        return tuple(kept)

    def _errors(self, delta: EnergyDelta) -> tuple[float, float]:
        """Standard error of the instants of `delta`, and how much of a period its energy does not know, in seconds."""
        if delta.method == "counter":
            return self._counter.timing_se_s, self.powers.unseen_s if self.powers.duty == "part" else 0.0
        return self.powers.timing_se_s, self.powers.unseen_s

    def _tail(self, at_s: float) -> tuple[EnergyDelta, ...]:
        """From the last publication to `at_s`: at its latest power for some periods, by the power readings beyond."""
        since_s, last = self._until_s, self._last
        if last is None or since_s >= at_s:
            return ()
        known_s = self.powers.lag_s if self._integrating else self.period_s
        if at_s - since_s > 2 * known_s:
            covered = [part for part in self._shadowed() if part.end_s > since_s]
            if not covered or covered[-1].end_s < at_s - known_s:
                return ()
            return tuple(integrated(self._device, since_s, at_s, within_uj(covered, since_s, at_s)))
        until_s = min(at_s, since_s + known_s)
        level = Level(join(self._counter.recent() or (last,)).mean_w, 0.0)
        energy_uj = self._edges.tail(since_s, until_s, self._errors(last)[0], level)
        return tuple(integrated(self._device, since_s, until_s, energy_uj))

    def _count(self, reading: Reading, counter_uj: int) -> Step:
        step = self._counter.advance(reading.at_s, counter_uj)
        if step is NOTHING:
            self._stillness.see(reading.at_s, moved=False)
            return NOTHING
        self._stillness.see(reading.at_s, moved=True)
        if step.moved:
            self._recovered += 1
        if step.moved or step.deltas:
            changes = self._counter.changes
            self._steps.see(step, reading.power_w, changes.period_s, changes.se_s)
        return step

    def _counted(self, step: Step) -> tuple[EnergyDelta, ...]:
        """What the counter has given."""
        deltas = step.deltas
        if deltas:
            self.powers.gap = None
            self.powers.shadow.drop_before(deltas[-1].end_s)
        return deltas

    def _choose(self, reading: Reading, step: Step, faults: list[Fault]) -> tuple[EnergyDelta, ...]:
        """The counter's deltas, or the integral's while the counter is missing or stands still."""
        if not self._integrating and self._stuck(reading.at_s):
            self._integrating, self._recovered = True, 0
            if self._stillness.counted:
                faults.append(self._stillness.fault(reading.at_s, "; energy is integrated from power"))
            return (*self._counter.flush(), *self._integrated(faults))
        if self._integrating and (self._recovered < RECOVERED_STEPS or not step.deltas):
            return self._integrated(faults)
        self._integrating = False
        if not step.moved and not self.powers.seen and self._stillness.too_long(reading.at_s, self.period_s):
            missing = ", and there is no power reading: its energy is missing"
            faults.extend(filter(None, [self._stillness.fault_once(reading.at_s, missing)]))
        if step.fault is not None:
            return (*step.deltas, *self._integrated(faults))
        return self._counted(step)

    def _integrated(self, faults: list[Fault]) -> tuple[EnergyDelta, ...]:
        """What the integral has beyond the counter, and the gap in it if there is one."""
        if self.powers.gap is not None:
            faults.append(self.powers.gap)
            self.powers.gap = None
        return self._shadowed()

    def _stuck(self, at_s: float) -> bool:
        """True when the counter has stood still so long that power would have moved it, or there is none."""
        if not self._stillness.counted:
            return True
        return self._stillness.too_long(at_s, self.period_s) and self.powers.shadow.energy_uj > 0

    def _after_the_last(self, deltas: Sequence[EnergyDelta]) -> tuple[EnergyDelta, ...]:
        """`deltas` without what lies before the opening or was accounted for already.

        The first ones of an account are held back until the level after its beginning has been seen.
        """
        if self._edges.opened:
            if not deltas:
                return ()
            self._edges.refine()
            return self._without_overlap(deltas)
        self._opening.extend(delta for delta in deltas if delta.end_s > self._edges.open_s)
        enough = len(self._opening) >= HELD_STEPS
        return self._release() if self._opening and (enough or self._edges.knows_inside()) else ()

    def _release(self) -> tuple[EnergyDelta, ...]:
        """What was held back at the opening, the first of it cut there."""
        held, self._opening = self._opening, []
        if not held:
            return ()
        self._edges.opened = True
        if held[0].start_s < self._edges.open_s:
            held[0] = split.after(self._edges.first_split(held[0], *self._errors(held[0])))
        return self._without_overlap(held)

    def _without_overlap(self, deltas: Sequence[EnergyDelta]) -> tuple[EnergyDelta, ...]:
        kept = []
        for delta in deltas:
            part = delta if delta.start_s >= self._until_s else starting_at(delta, self._until_s)
            if part is None:
                continue
            self._until_s = part.end_s
            self._last = part
            kept.append(part)
        self._doubts.account(kept)
        return tuple(kept)
