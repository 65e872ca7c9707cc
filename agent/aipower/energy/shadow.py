"""The integral of power that is kept beside a counter, for the time when the counter fails."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aipower.energy.part import Part

MOST_PARTS = 256
"""Parts kept apart; older ones are joined, so that a counter that never moves costs no memory."""


class Shadow:
    """Integrated energy that has not been accounted for by the counter."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self.energy_uj = 0
        """All that is kept, in microjoules."""
        self._from_s = -math.inf

    def add(self, part: Part) -> None:
        """Keep of `part`, which begins where the last ended or later, what the counter has not."""
        if part.start_s < self._from_s:
            if part.end_s <= self._from_s:
                return
            part = part.after(self._from_s)
        self._parts.append(part)
        self.energy_uj += part.energy_uj
        if len(self._parts) > MOST_PARTS:
            half = MOST_PARTS // 2
            self._parts[:half] = [_joined(self._parts[:half])]

    def drop_before(self, at_s: float) -> None:
        """Forget what lies before `at_s`, and what comes of it later: the counter has it."""
        self._from_s = at_s
        parts = self._parts
        if not parts:
            return
        if parts[-1].end_s <= at_s:
            self._parts, self.energy_uj = [], 0
            return
        past = 0
        while parts[past].end_s <= at_s:
            self.energy_uj -= parts[past].energy_uj
            past += 1
        if past:
            del parts[:past]
        if parts[0].start_s < at_s:
            whole, parts[0] = parts[0], parts[0].after(at_s)
            self.energy_uj -= whole.energy_uj - parts[0].energy_uj

    def take(self) -> Sequence[Part]:
        """Hand over all that is kept."""
        taken, self._parts, self.energy_uj = self._parts, [], 0
        return taken


def _joined(parts: Sequence[Part]) -> Part:
    return Part(parts[0].start_s, parts[-1].end_s, sum(part.energy_uj for part in parts))
