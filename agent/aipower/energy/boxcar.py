"""The integral of a sensor that looks at its period, or at a part of it, and then at the next."""

from __future__ import annotations

from collections.abc import Sequence

from aipower.energy.changes import JITTER_S
from aipower.energy.publications import Published, Rhythm, gap_s
from aipower.energy.window import integrated
from aipower.model import Device, EnergyDelta

OFF_RHYTHM = 0.25
"""Instants that are farther from a whole number of periods are counted by time: the period is another than known."""


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
    def sure(self) -> bool:
        """False while the period may be another: what is integrated is then no witness."""
        return self._rhythm.sure

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
        return integrated(self._device, start_s, until_s, energy_uj)

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
            return integrated(self._device, start_s, instant_s, older_uj + newest_uj)
        older = integrated(self._device, start_s, middle_s, older_uj)
        return (*older, *integrated(self._device, middle_s, instant_s, newest_uj))
