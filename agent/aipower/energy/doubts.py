"""What makes the energy of an account less sure than its two ends do, and the warnings about it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aipower.energy.agreement import Disagreement
from aipower.energy.alias import Alias, Look
from aipower.energy.powers import Powers
from aipower.model import Device, EnergyDelta, Fault, Reading, Usage

Z_95 = 1.96
"""Standard errors from the middle of a normal distribution to the ends of its 95 % interval."""

BELIEVED = 2
"""`SensorTraits.max_power_w` is so many times what the device is allowed to draw."""


class Doubts:
    """Follows one account: what an integral has not seen, a counter that disagrees, a load that hides."""

    def __init__(self, device: Device, powers: Powers, max_power_w: float) -> None:
        self._device = device
        self._powers = powers
        self._max_power_w = max_power_w
        self._alias = Alias()
        self._open_s, self._close_s = -math.inf, math.inf
        self._judged_s = -math.inf
        self._energy_uj = 0
        self._variance_uj2 = powers.variance_uj2
        self._integrated_uj2 = self._counted_uj2 = 0.0
        self._told: set[str] = set()
        self.untold: list[Fault] = []
        """Warnings that nobody has asked for yet."""

    def open(self, at_s: float) -> None:
        """An account begins at `at_s`."""
        self._open_s, self._close_s, self._judged_s = at_s, math.inf, at_s
        self._energy_uj = 0
        self._integrated_uj2 = self._counted_uj2 = 0.0
        self._alias.open()

    def end(self, at_s: float) -> None:
        """It ends at `at_s`."""
        self._close_s = at_s

    def account(self, deltas: Sequence[EnergyDelta]) -> None:
        """Take in energy of the account."""
        for delta in deltas:
            self._energy_uj += delta.energy_uj

    def see(self, reading: Reading, *, integrating: bool) -> None:
        """A reading has been taken in by the powers; a change at either end of the account is none inside it."""
        at_s, power_w, powers = reading.at_s, reading.power_w, self._powers
        found = None if integrating else powers.disagreement
        if found is not None or self._told:
            self._compare(found, at_s)
        if power_w is None:
            return
        if 0 <= power_w <= self._max_power_w:
            self._alias.see(at_s, power_w)
        before_uj2, now_uj2 = self._variance_uj2, powers.variance_uj2
        if now_uj2 == before_uj2:
            return
        self._variance_uj2 = now_uj2
        if not self._open_s + powers.period_s < at_s <= self._close_s:
            return
        if integrating:
            self._integrated_uj2 += now_uj2 - before_uj2
        else:
            self._counted_uj2 += now_uj2 - before_uj2

    def worked(self, usage: Usage | None, until_s: float, *, integrating: bool) -> None:
        """Judge what was seen up to `until_s`, in which time the device worked as `usage` says."""
        powers, duty = self._powers, self._powers.duty
        since_s = self._judged_s if usage is None else max(self._judged_s, usage.start_s)
        start_s, end_s = max(since_s, self._open_s), min(until_s, self._close_s)
        self._judged_s = until_s
        sees_all = not powers.part_time or (duty == "full" and not integrating)
        unseen_s = 0.0 if sees_all else powers.unseen_s
        look = Look(unseen_s, powers.period_s, integrating or duty == "part", self._max_power_w / BELIEVED)
        if self._alias.judge(usage, start_s, end_s, look):
            bound_j = self._alias.bound_uj / 1e6
            detail = f"the sensor looks part of the time, and {bound_j:.1f} J may hide in the rest: the load switches"
            self._warn("alias", until_s, detail)

    def warnings(self) -> Sequence[Fault]:
        """New warnings since the last call."""
        if not self.untold:
            return ()
        new, self.untold = self.untold, []
        return new

    def se_uj(self, edges_se_uj: float) -> float:
        """Standard error of the account's energy, `edges_se_uj` of its two ends included.

        What may be systematic is a bound, and is added to what is chance.
        """
        counted_uj2 = self._counted_uj2 if self._powers.duty == "part" else 0.0
        # What a running average has not seen is judged anew with each reading, so that the sum may fall.
        chance_uj = math.hypot(edges_se_uj, math.sqrt(max(0.0, self._integrated_uj2 + counted_uj2)))
        return chance_uj + (self._alias.bound_uj + self._disagreed_uj(self._powers.disagreement)) / Z_95

    def _disagreed_uj(self, found: Disagreement | None) -> float:
        return 0.0 if found is None else found.share * self._energy_uj

    def _compare(self, found: Disagreement | None, at_s: float) -> None:
        """Warn where counter and readings contradict each other."""
        if found is None:
            self._told.discard("disagreement")
        elif "disagreement" not in self._told:
            detail = (
                f"the energy counter says {found.counter_uj / 1e6:.1f} J, the power readings of the same time say "
                f"{found.integral_uj / 1e6:.1f} J"
            )
            self._warn("disagreement", at_s, detail)

    def _warn(self, reason: str, at_s: float, detail: str) -> None:
        if reason not in self._told:
            self._told.add(reason)
            self.untold.append(Fault(self._device.id, at_s, reason, retry=True, detail=detail))
