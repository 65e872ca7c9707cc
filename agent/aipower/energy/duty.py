"""Does the counter see all of the time, or only the moments at which the sensor looks?

A sensor that looks at 25 ms of every 100 ms may feed the energy counter as well (science of A2 and finding 4). Then a
step of the counter is the last power reading times the period, always; a counter that sees all of the time differs
from it whenever the power changes inside the period.
"""

from __future__ import annotations

from typing import Literal

Verdict = Literal["unknown", "full", "part"]

CHANGE = 0.1
"""A reading that differs from the last by less than this share has not changed."""
EQUAL, EQUAL_W = 0.02, 2.0
"""Two that differ by less than this share and these watts are the same: publication jitters by some 0.5 ms."""
UNLIKE = 0.15
"""Between changes a step must differ by more than this share: power flickers within a period as well."""
PROOF = 2
"""So many steps make a verdict: one may agree by chance, or differ since a publication was missed."""
FEW, MANY = 0.1, 0.25
"""Share of steps that the readings do not explain, up to which they are chance, and from which they are not. A step
of a counter that sees all of the time agrees with the readings of a change by chance in one of 20 cases."""


class DutyCheck:
    """Compares steps of the counter with the power readings published beside them."""

    def __init__(self) -> None:
        self._same = self._different = 0
        self._before_w: float | None = None
        self._just_different = False

    @property
    def verdict(self) -> Verdict:
        """`full` once steps were seen that the readings do not explain, `part` while they explain all."""
        seen = self._same + self._different
        if self._different >= PROOF and self._different >= MANY * seen:
            return "full"
        return "part" if self._same >= PROOF and self._different <= FEW * seen else "unknown"

    def begin(self, reading_w: float) -> None:
        """The first reading, before any step."""
        self._before_w = reading_w

    def see(self, step_w: float, reading_w: float) -> None:
        """Take in the mean power of one step of one period, and the reading of the same moment."""
        before_w, self._before_w = self._before_w, reading_w
        if before_w is None:
            return
        changed = abs(reading_w - before_w) >= CHANGE * max(before_w, reading_w)
        different = self._differ(step_w, reading_w, before_w, changed=changed)
        if different:
            self._different += 1
        elif changed and not self._just_different:
            self._same += 1
        # A change inside the moments that are looked at shows in two readings, of which the second is the new power.
        self._just_different = changed and different

    @staticmethod
    def _differ(step_w: float, reading_w: float, before_w: float, *, changed: bool) -> bool:
        if changed:
            return not (_equal(step_w, reading_w) or _equal(step_w, before_w))
        # Two updates between two reads can pass for one.
        apart_w = min(abs(step_w - reading_w), abs(step_w - 2 * reading_w))
        return apart_w > EQUAL_W + UNLIKE * max(step_w, reading_w)


def _equal(one_w: float, other_w: float) -> bool:
    return abs(one_w - other_w) <= EQUAL_W + EQUAL * max(one_w, other_w)
