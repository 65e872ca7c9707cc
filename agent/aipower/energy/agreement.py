"""Do the counter and the power readings tell the same energy?"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from aipower.energy.part import Part
from aipower.model import EnergyDelta

CHECK_S = 1.0
"""Both are compared at instants no closer than this."""
LEAST_CHECKS = 4
"""Shorter stretches differ by their ends alone, and a driver that caches its readings shows itself within them."""
TOLERANCE = 0.02
"""Two sound sources of one card differ by at most 1 % (Zeus' maintainers on counter and integral)."""
Z = 4.0
"""Standard errors of the comparison beyond which it is no chance."""
RECENT_PARTS = 16
"""Parts of the integral in which an instant of the counter may lie: steps are held back at the start."""
SLACK_PERIODS = 2
"""Each end of the stretch may be off by an update of the sensor."""


class Disagreement(Struct, frozen=True):
    """What each says of the same time, in microjoules."""

    counter_uj: float
    integral_uj: float

    @property
    def share(self) -> float:
        """How much the integral differs from the counter, as a share of the counter's energy."""
        return abs(self.integral_uj - self.counter_uj) / max(self.counter_uj, 1.0)


_Known = tuple[float, float, Sequence[Part]]
"""What the integral had found before some parts, the variance once they were found, and the parts themselves."""


class Agreement:
    """Sums both over the time in which both were known."""

    def __init__(self) -> None:
        self._checks: deque[tuple[float, float]] = deque()
        """Instants, and the counter's energy up to them, that the integral has not reached."""
        self._known: deque[_Known] = deque()
        self._parts = 0
        """How many are known."""
        self._too_old = 0
        """Of the first known ones so many are not looked at any more."""
        self._last: tuple[float, float, float] | None = None
        """The latest compared instant's counter, integral and variance."""
        self._counter_uj = self._integral_uj = self._variance_uj2 = 0.0
        self._sum_counter_uj = self._sum_integral_uj = self._sum_variance_uj2 = 0.0
        self._checked_s = -math.inf
        self._compared = 0
        self._most_w = 0.0
        self.apart = False
        """True where they differ by more than two sound sources would: the only time to ask for the disagreement."""

    def see_counter(self, delta: EnergyDelta) -> None:
        """Take in energy of the counter."""
        self._counter_uj += delta.energy_uj
        if delta.end_s - self._checked_s >= CHECK_S:
            self._checks.append((delta.end_s, self._counter_uj))
            self._checked_s = delta.end_s
            self._settle()

    def see_integral(self, parts: Sequence[Part], variance_uj2: float) -> None:
        """Take in energy of the power readings, and how far all of it so far may be off."""
        integral_uj = self._integral_uj
        known, count = self._known, self._parts + len(parts)
        known.append((integral_uj, variance_uj2, parts))
        for part in parts:
            integral_uj += part.energy_uj
        self._integral_uj = integral_uj
        if self._checks:
            self._settle()
        while count - len(known[0][2]) >= RECENT_PARTS:
            count -= len(known.popleft()[2])
        self._parts, self._too_old = count, count - RECENT_PARTS

    def interrupt(self) -> None:
        """A reading or a step is missing: what comes is not compared with what was."""
        self._last = None
        self._checks.clear()
        self._known.clear()
        self._parts = self._too_old = 0
        self._checked_s = -math.inf

    def disagreement(self, period_s: float) -> Disagreement | None:
        """The two figures where they cannot both be right; None where they can. Power comes each `period_s`."""
        if not self.apart:
            return None
        counter_uj, integral_uj = self._sum_counter_uj, self._sum_integral_uj
        chance_uj = Z * math.sqrt(self._sum_variance_uj2) + self._most_w * SLACK_PERIODS * period_s * 1e6
        beyond = abs(integral_uj - counter_uj) > TOLERANCE * max(counter_uj, integral_uj) + chance_uj
        return Disagreement(counter_uj, integral_uj) if beyond else None

    def _settle(self) -> None:
        """Compare at the instants of which both are known."""
        checks, known = self._checks, self._known
        while checks and known and checks[0][0] <= known[-1][2][-1].end_s:
            at_s, counter_uj = checks.popleft()
            found = self._until(at_s)
            if found is None:
                self._last = None
            else:
                self._compare(counter_uj, *found)

    def _until(self, at_s: float) -> tuple[float, float] | None:
        """All that the integral found up to an instant, and its variance; None where no known part holds it."""
        too_old = self._too_old
        for sum_uj, variance_uj2, parts in self._known:
            before_uj = sum_uj
            if at_s <= parts[-1].end_s:
                for part in parts:
                    if too_old <= 0 and part.start_s <= at_s <= part.end_s:
                        share_uj = part.energy_uj * (at_s - part.start_s) / (part.end_s - part.start_s)
                        return before_uj + share_uj, variance_uj2
                    before_uj += part.energy_uj
                    too_old -= 1
            too_old = 0
        return None

    def _compare(self, counter_uj: float, integral_uj: float, variance_uj2: float) -> None:
        if self._last is not None:
            last_counter_uj, last_integral_uj, last_variance_uj2 = self._last
            self._sum_counter_uj += counter_uj - last_counter_uj
            self._sum_integral_uj += integral_uj - last_integral_uj
            self._sum_variance_uj2 += max(0.0, variance_uj2 - last_variance_uj2)
            self._compared += 1
            most_uj = max(counter_uj - last_counter_uj, integral_uj - last_integral_uj)
            self._most_w = max(self._most_w, most_uj / 1e6 / CHECK_S)
            self.apart = self._compared >= LEAST_CHECKS and self._differ()
        self._last = counter_uj, integral_uj, variance_uj2

    def _differ(self) -> bool:
        counter_uj, integral_uj = self._sum_counter_uj, self._sum_integral_uj
        return abs(integral_uj - counter_uj) > TOLERANCE * max(counter_uj, integral_uj)
