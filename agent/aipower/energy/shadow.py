"""The integral of power that is kept beside a counter, for the time when the counter fails."""

from __future__ import annotations

import math

from aipower.energy.window import join, starting_at
from aipower.model import EnergyDelta

MOST_PARTS = 256
"""Parts kept apart; older ones are joined, so that a counter that never moves costs no memory."""


class Shadow:
    """Integrated energy that has not been accounted for by the counter."""

    def __init__(self) -> None:
        self._parts: list[EnergyDelta] = []
        self._energy_uj = 0
        self._from_s = -math.inf

    @property
    def energy_uj(self) -> int:
        """All that is kept, in microjoules."""
        return self._energy_uj

    def add(self, part: EnergyDelta) -> None:
        """Keep of `part`, which begins where the last ended or later, what the counter has not."""
        rest = starting_at(part, self._from_s)
        if rest is None:
            return
        self._parts.append(rest)
        self._energy_uj += rest.energy_uj
        if len(self._parts) > MOST_PARTS:
            half = MOST_PARTS // 2
            self._parts = [join(self._parts[:half]), *self._parts[half:]]

    def drop_before(self, at_s: float) -> None:
        """Forget what lies before `at_s`, and what comes of it later: the counter has it."""
        self._from_s = at_s
        if not self._parts or self._parts[0].start_s >= at_s:
            return
        kept = [starting_at(part, at_s) for part in self._parts]
        self._parts = [part for part in kept if part is not None]
        self._energy_uj = sum(part.energy_uj for part in self._parts)

    def take(self) -> tuple[EnergyDelta, ...]:
        """Hand over all that is kept."""
        taken = tuple(self._parts)
        self._parts, self._energy_uj = [], 0
        return taken
