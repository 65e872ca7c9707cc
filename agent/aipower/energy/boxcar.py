"""The integral of a sensor that looks at its period, or at a part of it, and then at the next."""

from __future__ import annotations

from collections.abc import Sequence

from aipower.energy.changes import JITTER_S
from aipower.energy.part import Part
from aipower.energy.publications import Published, Rhythm, change_of

OFF_RHYTHM = 0.25
"""Instants that are farther from a whole number of periods are counted by time: the period is another than known."""


class Boxcar:
    """For sensors that look at their period or at the last part of it: each value stands for one period.

    What was not looked at between two values lies on the way from one to the other where the power changes once: its
    mean is evenly distributed between them. Where successive changes are opposed, the power goes up and down faster
    than it is looked at: the mean is then as far off as values are from their own mean, of which the variance is the
    negative product of two successive changes.
    """

    def __init__(self, period_s: float, window_s: float, max_gap_s: float) -> None:
        self.variance_uj2 = 0.0
        self.period_s = period_s
        """How often the sensor publishes, as far as it is known by now."""
        self.unseen_s = max(0.0, period_s - window_s)
        """How much of each period is not looked at."""
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

    def advance(self, at_s: float, power_w: float) -> Sequence[Part]:
        """The energy that a reading makes known; none at the first and after a gap."""
        before, self._read = self._read, (at_s, power_w)
        if before is None or at_s - before[0] > self._max_gap_s:
            self._until_s = self._counted_s = at_s - self.period_s
            self._begun = False
            return ()
        before_s, before_w = before
        if power_w == before_w:
            return self._unchanged(at_s - self.period_s, power_w)
        instant_s = self._rhythm.see(before_s, at_s, change_of(before_w, power_w))
        if self._rhythm.period_s != self.period_s:
            self.period_s = self._rhythm.period_s
            self.unseen_s = max(0.0, self.period_s - self._window_s)
        missed = (at_s - before_s) / self.period_s - 1
        """Periods that no read has seen."""
        if missed < 0:
            missed = 0.0
        self._doubt(power_w - before_w, missed)
        older_w = (before_w + power_w) / 2 if missed else before_w
        return self._published(instant_s + self.unseen_s / 2, older_w, power_w)

    def _doubt(self, change_w: float, missed: float) -> None:
        swing_w2 = -change_w * self._change_w
        if swing_w2 < 0:
            swing_w2 = 0.0
        self._change_w = change_w
        unseen_uj2 = (self.unseen_s * 1e6) ** 2 * (change_w**2 / 12 + swing_w2)
        missed_uj2 = missed * (self.period_s * change_w * 1e6) ** 2 / 2
        self.variance_uj2 += unseen_uj2 + missed_uj2 + (JITTER_S * change_w * 1e6) ** 2

    def _unchanged(self, until_s: float, power_w: float) -> Sequence[Part]:
        start_s, counted_s = self._until_s, self._counted_s
        if until_s <= start_s:
            return ()
        self._until_s = until_s
        if until_s <= counted_s:
            return (Part(start_s, until_s, 0),)
        self._counted_s = until_s
        return (Part(start_s, until_s, round(power_w * (until_s - counted_s) * 1e6)),)

    def _published(self, instant_s: float, older_w: float, power_w: float) -> Sequence[Part]:
        """One period of the new value, and what is left of the older one before it."""
        period_s = self.period_s
        if not self._begun:
            # The value that was found began at an unknown time: whole periods count from the first that was seen come.
            self._begun = True
            self._until_s = self._counted_s = max(self._until_s, instant_s - period_s)
        start_s, counted_s = self._until_s, self._counted_s
        if instant_s <= start_s:
            return ()
        span_s = instant_s - counted_s if instant_s > counted_s else 0.0
        whole_s = round(span_s / period_s) * period_s
        if abs(whole_s - span_s) <= OFF_RHYTHM * period_s:
            span_s = whole_s
        self._counted_s = counted_s + span_s
        self._until_s = instant_s
        if span_s <= period_s:
            return (Part(start_s, instant_s, round(power_w * span_s * 1e6)),)
        older_uj, newest_uj = round(older_w * (span_s - period_s) * 1e6), round(power_w * period_s * 1e6)
        middle_s = instant_s - period_s
        if older_uj == 0 or middle_s <= start_s:
            return (Part(start_s, instant_s, older_uj + newest_uj),)
        return (Part(start_s, middle_s, older_uj), Part(middle_s, instant_s, newest_uj))
