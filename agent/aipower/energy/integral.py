"""From power to energy, where there is no counter to trust, or to check the one there is.

What a power reading means depends on its sensor: the mean of the last `window_s`, published each `period_s`. The value
of a sensor that looks at all of its period is a step of energy, as exact as a counter's. One that looks at a part of it
stands for the whole, and what was not looked at is uncertain. A running average (window > period) is unfolded: with
G(t) the energy up to t, A(t) * window = G(t) - G(t - window), so G(t) follows from what was known one window earlier.
"""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from aipower.energy.changes import JITTER_S
from aipower.energy.publications import Publications, Published, Rhythm
from aipower.model import Device, EnergyDelta
from aipower.seams import SensorTraits

RUNNING = 1.5
"""A window longer than so many periods is a running average."""
MISSED_SE = 0.1
"""Standard error of a value put in for a missed one, in units of the change around it: averages change smoothly."""
HISTORY_SE = 0.15
"""Standard error of the energy up to an instant inside the first window, in units of the unrest times the window: that
of a random walk tied at both ends whose steps are a tenth of the window."""
OFF_RHYTHM = 0.25
"""Instants that are farther from a whole number of periods are counted by time: the period is another than known."""
UNREST = 32
"""Steps of which the median tells the unrest: a single jump, as at the start of work, is none."""
KNOWN = 256
"""Instants remembered of a running average: twice its window at least."""


class Integral(Protocol):
    """Integrates the power readings of one device; a gap longer than `max_gap_s` is left out, not guessed."""

    @property
    def period_s(self) -> float:
        """How often the sensor publishes, as far as it is known by now."""
        ...

    @property
    def lag_s(self) -> float:
        """How far behind the latest reading the integral may end."""
        ...

    @property
    def timing_se_s(self) -> float:
        """Standard error of the instants between its parts."""
        ...

    @property
    def variance_uj2(self) -> float:
        """Variance of all energy so far for what the sensor has not looked at, in square microjoules."""
        ...

    @property
    def unseen_s(self) -> float:
        """How much of each period is not looked at."""
        ...

    def gap_s(self, at_s: float) -> float | None:
        """The length of the gap that a reading at `at_s` would end, None where there is none."""
        ...

    def advance(self, at_s: float, power_w: float) -> Sequence[EnergyDelta]:
        """The energy that a reading makes known; none at the first and after a gap."""
        ...


def integral_of(device: Device, traits: SensorTraits, max_gap_s: float) -> Integral:
    """The right one for a sensor."""
    if traits.power_window_s > RUNNING * traits.power_period_s:
        return UnfoldedAverage(device, traits.power_period_s, traits.power_window_s, max_gap_s)
    return Boxcar(device, traits.power_period_s, traits.power_window_s, max_gap_s)


class Boxcar:
    """For sensors that look at their period or at the last part of it: each value stands for one period.

    What was not looked at between two values lies on the way from one to the other where the power changes once: its
    mean is evenly distributed between them. Where successive changes are opposed, the power goes up and down faster
    than it is looked at: the mean is then as far off as values are from their own mean, of which the variance is the
    negative product of two successive changes.
    """

    def __init__(self, device: Device, period_s: float, window_s: float, max_gap_s: float) -> None:
        self.variance_uj2 = 0.0
        self._device = device
        self._max_gap_s = max_gap_s
        self._window_s = window_s
        self._rhythm = Rhythm(period_s)
        self._read: Published | None = None
        self._change_w = 0.0
        self._until_s = 0.0
        self._begun = False
        self._counted_s = 0.0
        """Up to when power is counted: whole periods, however well their instants are known."""

    @property
    def period_s(self) -> float:
        """How often the sensor publishes, as far as it is known by now."""
        return self._rhythm.period_s

    @property
    def lag_s(self) -> float:
        """How far behind the latest reading the integral may end."""
        return self.period_s

    @property
    def timing_se_s(self) -> float:
        """Standard error of the instants between its parts."""
        return self._rhythm.se_s

    @property
    def unseen_s(self) -> float:
        """How much of each period is not looked at."""
        return max(0.0, self.period_s - self._window_s)

    def gap_s(self, at_s: float) -> float | None:
        """The length of the gap that a reading at `at_s` would end, None where there is none."""
        return gap_s(self._read, at_s, self._max_gap_s)

    def advance(self, at_s: float, power_w: float) -> Sequence[EnergyDelta]:
        """The energy that a reading makes known; none at the first and after a gap."""
        before, gap = self._read, self.gap_s(at_s)
        now = self._read = Published(at_s, power_w)
        if before is None or gap is not None:
            self._until_s = self._counted_s = at_s - self.period_s
            self._begun = False
            return ()
        if power_w == before.power_w:
            return self._unchanged(at_s - self.period_s, power_w)
        instant_s = self._rhythm.see(before, now) + self.unseen_s / 2
        self._doubt(before, now)
        older_w = (before.power_w + power_w) / 2 if self._missed(at_s, before) else before.power_w
        return self._published(instant_s, older_w, power_w)

    def _missed(self, at_s: float, before: Published) -> float:
        """Periods that no read has seen."""
        return max(0.0, (at_s - before.at_s) / self.period_s - 1)

    def _doubt(self, before: Published, now: Published) -> None:
        change_w = now.power_w - before.power_w
        swing_w2 = max(0.0, -change_w * self._change_w)
        self._change_w = change_w
        unseen_uj2 = (self.unseen_s * 1e6) ** 2 * (change_w**2 / 12 + swing_w2)
        missed_uj2 = self._missed(now.at_s, before) * (self.period_s * change_w * 1e6) ** 2 / 2
        self.variance_uj2 += unseen_uj2 + missed_uj2 + (JITTER_S * change_w * 1e6) ** 2

    def _unchanged(self, until_s: float, power_w: float) -> Sequence[EnergyDelta]:
        if until_s <= self._until_s:
            return ()
        energy_uj = round(power_w * max(0.0, until_s - self._counted_s) * 1e6)
        start_s, self._until_s = self._until_s, until_s
        self._counted_s = max(self._counted_s, until_s)
        return delta(self._device, start_s, until_s, energy_uj)

    def _published(self, instant_s: float, older_w: float, power_w: float) -> Sequence[EnergyDelta]:
        """One period of the new value, and what is left of the older one before it."""
        if not self._begun:
            # The value that was found began at an unknown time: whole periods count from the first that was seen come.
            self._begun = True
            self._until_s = self._counted_s = max(self._until_s, instant_s - self.period_s)
        if instant_s <= self._until_s:
            return ()
        span_s = max(0.0, instant_s - self._counted_s)
        whole_s = round(span_s / self.period_s) * self.period_s
        if abs(whole_s - span_s) <= OFF_RHYTHM * self.period_s:
            span_s = whole_s
        self._counted_s += span_s
        newest_s = min(span_s, self.period_s)
        older_uj, newest_uj = round(older_w * (span_s - newest_s) * 1e6), round(power_w * newest_s * 1e6)
        start_s, middle_s, self._until_s = self._until_s, instant_s - self.period_s, instant_s
        if older_uj == 0 or middle_s <= start_s:
            return delta(self._device, start_s, instant_s, older_uj + newest_uj)
        older = delta(self._device, start_s, middle_s, older_uj)
        return (*older, *delta(self._device, middle_s, instant_s, newest_uj))


class UnfoldedAverage:
    """For running averages. Before the first reading the power is taken to have been flat for one window."""

    def __init__(self, device: Device, period_s: float, window_s: float, max_gap_s: float) -> None:
        self.unseen_s = 0.0
        self._missed_uj2 = 0.0
        self._steps_w: deque[float] = deque(maxlen=UNREST)
        self._step_w: float | None = None
        self._device = device
        self._window_s = window_s
        self._max_gap_s = max_gap_s
        self._publications = Publications(period_s)
        self._read: Published | None = None
        self._known: deque[tuple[float, float]] = deque(maxlen=KNOWN)
        """Instants, and the energy in joules up to them."""
        self._until_s = 0.0
        self._given_uj = 0

    @property
    def period_s(self) -> float:
        """How often the sensor publishes, as far as it is known by now."""
        return self._publications.period_s

    @property
    def lag_s(self) -> float:
        """How far behind the latest reading the integral may end."""
        return 2 * self.period_s

    @property
    def timing_se_s(self) -> float:
        """Standard error of the instants between its parts."""
        return self._publications.timing_se_s

    def gap_s(self, at_s: float) -> float | None:
        """The length of the gap that a reading at `at_s` would end, None where there is none."""
        return gap_s(self._read, at_s, self._max_gap_s)

    def advance(self, at_s: float, power_w: float) -> Sequence[EnergyDelta]:
        """The energy that a reading makes known; none at the first and after a gap."""
        first = self._read is None or self.gap_s(at_s) is not None
        before, self._read = self._read, Published(at_s, power_w)
        if first or before is None:
            self._publications.restart()
            self._begin(self._publications.read(at_s, power_w)[-1])
            return ()
        news = self._publications.read(at_s, power_w)
        missed = max(0, len(news) - 1) if at_s - before.at_s > self._publications.period_s else 0
        change_uj = (power_w - before.power_w) * self._window_s * 1e6
        self._missed_uj2 += missed * (MISSED_SE * change_uj) ** 2
        return tuple(part for value in news for part in self._part(value))

    def _begin(self, value: Published) -> None:
        self._known.clear()
        self._known.append((value.at_s - 2 * self._window_s, -2 * value.power_w * self._window_s))
        self._known.append((value.at_s, 0.0))
        self._until_s, self._given_uj = value.at_s, 0

    def _part(self, value: Published) -> Sequence[EnergyDelta]:
        energy_j = self._energy_j(value.at_s - self._window_s) + value.power_w * self._window_s
        self._known.append((value.at_s, energy_j))
        start_s, self._until_s = self._until_s, value.at_s
        energy_uj = max(0, round(energy_j * 1e6) - self._given_uj)
        self._given_uj += energy_uj
        part = delta(self._device, start_s, value.at_s, energy_uj)
        if part:
            self._note_unrest(part[0].mean_w)
        return part

    @property
    def variance_uj2(self) -> float:
        """Of missed values, and of the window before the first reading, which may have been as restless as the rest."""
        unrest_w = sorted(self._steps_w)[len(self._steps_w) // 2] if self._steps_w else 0.0
        return self._missed_uj2 + (HISTORY_SE * unrest_w * self._window_s * 1e6) ** 2

    def _note_unrest(self, power_w: float) -> None:
        if self._step_w is not None:
            self._steps_w.append(abs(power_w - self._step_w))
        self._step_w = power_w

    def _energy_j(self, at_s: float) -> float:
        """Energy up to `at_s`, between the instants at which it is known on the straight line."""
        place = bisect.bisect_right(self._known, at_s, key=lambda known: known[0])
        left, right = self._known[max(0, place - 1)], self._known[min(place, len(self._known) - 1)]
        if right[0] <= left[0]:
            return left[1]
        return left[1] + (right[1] - left[1]) * (at_s - left[0]) / (right[0] - left[0])


def gap_s(read: Published | None, at_s: float, max_gap_s: float) -> float | None:
    """Seconds since `read` where that is longer than `max_gap_s`, else None."""
    return None if read is None or at_s - read.at_s <= max_gap_s else at_s - read.at_s


def delta(device: Device, start_s: float, end_s: float, energy_uj: int) -> Sequence[EnergyDelta]:
    """One part of an integral; none where it would have no length."""
    return (EnergyDelta(device, start_s, end_s, energy_uj, "integrated"),) if end_s > start_s else ()
