"""What the steps of a counter tell beside their energy: levels of power, and what the counter sees."""

from __future__ import annotations

import math
from collections import deque

from aipower.energy.counter import HELD_STEPS, Step
from aipower.energy.levels import Levels
from aipower.energy.powers import Powers
from aipower.model import EnergyDelta

ROOT_2 = math.sqrt(2)


class Steps:
    """Shows each step to those who learn from it, with the power that was read with it."""

    def __init__(self, powers: Powers, period_s: float) -> None:
        self.levels = Levels(0.0, period_s)
        self._powers = powers
        self._beside_w: deque[float | None] = deque(maxlen=HELD_STEPS)
        """The powers that were read with the latest moves of the counter."""

    def see(self, step: Step, power_w: float | None, period_s: float, timing_se_s: float) -> None:
        """Take in what one reading added to the counter, and the reading's power."""
        deltas = step.deltas
        if step.moved:
            self._beside_w.append(power_w)
            if len(deltas) == 1:
                self._see(deltas[0], power_w, period_s, timing_se_s)
                return
        # Steps that were held back come out together: each belongs to the reading of its own move.
        for delta, own_w in zip(deltas, list(self._beside_w)[-len(deltas) :], strict=False):
            self._see(delta, own_w, period_s, timing_se_s)

    def _see(self, delta: EnergyDelta, power_w: float | None, period_s: float, timing_se_s: float) -> None:
        """A step is a level of power, unless its ends are placed so badly that it is none."""
        self._powers.step(delta, power_w, period_s)
        span_s = delta.end_s - delta.start_s
        if span_s >= period_s / 2:
            mean_w = delta.energy_uj / 1e6 / span_s
            self.levels.see(delta.start_s, delta.end_s, mean_w, ROOT_2 * mean_w * timing_se_s / span_s)
