"""The integral of a running average.

It is unfolded: with G(t) the energy up to t, A(t) * window = G(t) - G(t - window), so G(t) follows from what was known
one window earlier.
"""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Sequence

from aipower.energy.publications import Publications, Published, gap_s
from aipower.energy.window import integrated
from aipower.model import Device, EnergyDelta

MISSED_SE = 0.1
"""Standard error of a value put in for a missed one, in units of the change around it: averages change smoothly."""
HISTORY_SE = 0.15
"""Standard error of the energy up to an instant inside the first window, in units of the unrest times the window: that
of a random walk tied at both ends whose steps are a tenth of the window."""
UNREST = 32
"""Steps of which the median tells the unrest: a single jump, as at the start of work, is none."""
KNOWN = 256
"""Instants remembered of a running average: twice its window at least."""


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
    def sure(self) -> bool:
        """False while the period may be another: what is integrated is then no witness."""
        return self._publications.sure

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
        part = integrated(self._device, start_s, value.at_s, energy_uj)
        if part:
            self._note_unrest(part[0].mean_w)
        return part

    @property
    def variance_uj2(self) -> float:
        """Of missed values, and of the window before the first reading: it may have been as restless as the rest."""
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
