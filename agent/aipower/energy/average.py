"""The integral of a running average.

It is unfolded: with G(t) the energy up to t, A(t) * window = G(t) - G(t - window), so G(t) follows from what was known
one window earlier.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from aipower.energy.part import Part
from aipower.energy.publications import Publications, Published

MISSED_SE = 0.1
"""Standard error of a value put in for a missed one, in units of the change around it: averages change smoothly."""
HISTORY_SE = 0.15
"""Standard error of the energy up to an instant inside the first window, in units of the unrest times the window: that
of a random walk tied at both ends whose steps are a tenth of the window."""
UNREST = 32
"""Steps of which the median tells the unrest: a single jump, as at the start of work, is none."""
KNOWN = 256
"""Instants remembered of a running average: its window at least."""


class UnfoldedAverage:
    """For running averages. Before the first reading the power is taken to have been flat for one window."""

    def __init__(self, period_s: float, window_s: float, max_gap_s: float) -> None:
        self.unseen_s = 0.0
        self._missed_uj2 = 0.0
        self._steps_w: deque[float] = deque(maxlen=UNREST)
        self._step_w: float | None = None
        self._unrest_w: float | None = 0.0
        """The median of the steps, None where it must be found anew."""
        self._window_s = window_s
        self._max_gap_s = max_gap_s
        self._publications = Publications(period_s)
        self.period_s = period_s
        """How often the sensor publishes, as far as it is known by now."""
        self._read: Published | None = None
        self._known: deque[Published] = deque(maxlen=KNOWN)
        """Instants, and the energy in joules up to them."""
        self._until_s = 0.0
        self._given_uj = 0

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

    @property
    def variance_uj2(self) -> float:
        """Of missed values, and of the window before the first reading: it may have been as restless as the rest."""
        if self._unrest_w is None:
            self._unrest_w = sorted(self._steps_w)[len(self._steps_w) // 2]
        return self._missed_uj2 + (HISTORY_SE * self._unrest_w * self._window_s * 1e6) ** 2

    def advance(self, at_s: float, power_w: float) -> Sequence[Part]:
        """The energy that a reading makes known; none at the first and after a gap."""
        before, self._read = self._read, (at_s, power_w)
        if before is None or at_s - before[0] > self._max_gap_s:
            self._publications.restart()
            self._begin(self._publications.read(at_s, power_w)[-1])
            return ()
        news = self._publications.read(at_s, power_w)
        self.period_s = self._publications.period_s
        if not news:
            return ()
        if len(news) > 1 and at_s - before[0] > self.period_s:
            change_uj = (power_w - before[1]) * self._window_s * 1e6
            self._missed_uj2 += (len(news) - 1) * (MISSED_SE * change_uj) ** 2
        return self._unfolded(news)

    def _begin(self, value: Published) -> None:
        at_s, power_w = value
        self._known.clear()
        self._known.append((at_s - 2 * self._window_s, -2 * power_w * self._window_s))
        self._known.append((at_s, 0.0))
        self._until_s, self._given_uj = at_s, 0

    def _unfolded(self, news: Sequence[Published]) -> Sequence[Part]:
        """The energy from each of the `news` to the next."""
        parts: list[Part] = []
        window_s, start_s, step_w = self._window_s, self._until_s, self._step_w
        known, steps_w, given_uj = self._known, self._steps_w, self._given_uj
        for at_s, power_w in news:
            # A sensor that is read each second publishes ten times meanwhile: this loop calls nothing of ours.
            earlier_s = at_s - window_s
            # Each instant is later than the last, so that what is known of before it is not needed any more.
            while len(known) > 1 and known[1][0] <= earlier_s:
                known.popleft()
            left_s, energy_j = known[0]
            if len(known) > 1 and earlier_s >= left_s:
                right_s, right_j = known[1]
                energy_j += (right_j - energy_j) * (earlier_s - left_s) / (right_s - left_s)
            energy_j += power_w * window_s
            known.append((at_s, energy_j))
            energy_uj = round(energy_j * 1e6) - given_uj
            energy_uj = max(energy_uj, 0)
            given_uj += energy_uj
            if at_s > start_s:
                parts.append(Part(start_s, at_s, energy_uj))
                before_w, step_w = step_w, energy_uj / 1e6 / (at_s - start_s)
                if before_w is not None:
                    steps_w.append(abs(step_w - before_w))
            start_s = at_s
        self._until_s, self._step_w, self._given_uj = start_s, step_w, given_uj
        self._unrest_w = None if steps_w else 0.0
        return parts
