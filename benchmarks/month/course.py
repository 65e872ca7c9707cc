"""The true power of a device, constant for some seconds at a time, and its energy in whole microjoules."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

SHORTEST_MS, LONGEST_MS = 500, 20_000


@dataclass(slots=True)
class Course:
    """Random levels, drawn as time goes on: nothing is kept of the past. Ask for later and later moments only."""

    idle_mw: int
    most_mw: int
    dice: random.Random
    level_mw: int = 0
    """Power since the last change, in milliwatts."""
    _at_ms: int = 0
    _until_ms: int = 0
    _energy_uj: int = field(default=0)

    def energy_uj(self, at_ms: int) -> int:
        """What was used from 0 to `at_ms`: milliwatts times milliseconds are microjoules."""
        while self._until_ms <= at_ms:
            self._energy_uj += self.level_mw * (self._until_ms - self._at_ms)
            self._at_ms = self._until_ms
            self._until_ms += self.dice.randint(SHORTEST_MS, LONGEST_MS)
            idle = self.dice.random() < 0.1
            self.level_mw = self.idle_mw if idle else self.dice.randint(self.idle_mw, self.most_mw)
        self._energy_uj += self.level_mw * (at_ms - self._at_ms)
        self._at_ms = at_ms
        return self._energy_uj

    @property
    def load(self) -> float:
        """How hard it works now, from 0 to 1."""
        return (self.level_mw - self.idle_mw) / (self.most_mw - self.idle_mw)
