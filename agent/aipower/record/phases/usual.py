"""What a device usually draws while a process is in a phase, and how well edges of phases are edges of power."""

from __future__ import annotations

import math

from msgspec import Struct

from aipower.energy.levels import LEAST_SE, LEAST_SE_W, Level
from aipower.model import EnergyDelta
from aipower.record.phases.teller import Path

Leaves = tuple[Path, ...]

MEMORY = 1 / 64
"""Weight of the newest piece once there were many: a phase whose power changes is followed within some seconds."""
SINGLE_SE = 0.1
"""A level that one piece alone shows is off by this share of it: nothing tells its unrest."""
MOST_KINDS = 2000
EDGE_MEMORY = 1 / 16
"""Weight of the newest edge."""
FEWEST_EDGES = 3
CLEAR = 0.1
"""An edge tells where it is if its levels leave so much of its piece open, at most."""
SHARPEST_S = 0.0005
"""Counters are published with as much jitter (science of F1)."""


class Mean(Struct):
    """Mean and variance of what was seen of late."""

    count: int = 0
    value: float = 0.0
    variance: float = 0.0

    def add(self, value: float) -> None:
        """Take in another one."""
        self.count += 1
        weight = max(1 / self.count, MEMORY)
        change = value - self.value
        self.value += weight * change
        self.variance = (1 - weight) * (self.variance + weight * change**2)


class Usual:
    """Learns from the pieces of energy that lie wholly in one phase."""

    def __init__(self) -> None:
        self._means: dict[Leaves, Mean] = {}

    def see(self, leaves: Leaves, power_w: float) -> None:
        """A piece in `leaves` had this mean power."""
        mean = self._means.get(leaves)
        if mean is None:
            if len(self._means) >= MOST_KINDS:
                return
            mean = self._means[leaves] = Mean()
        mean.add(power_w)

    def level(self, leaves: Leaves) -> Level | None:
        """What a piece in `leaves` draws, and how far one may differ from that."""
        mean = self._means.get(leaves)
        if mean is None:
            return None
        spread_w = math.sqrt(mean.variance * (1 + 1 / mean.count))
        return level(mean.value, math.hypot(spread_w, SINGLE_SE * mean.value / mean.count))


class Timing:
    """Learns from edges between known levels how far the change of power is from the edge that was told."""

    def __init__(self) -> None:
        self._count = 0
        self._off_s2 = 0.0
        self._last_s = -math.inf

    def see(self, piece: EnergyDelta, off_uj: float, contrast_w: float, noise_uj: float) -> None:
        """A piece with one edge differs by `off_uj` from what its levels say, which err by `noise_uj`.

        The same piece may come again, as those of other processes or levels.
        """
        span_s = piece.span_s
        if piece.start_s <= self._last_s:
            return
        contrast_uj_per_s = abs(contrast_w) * 1e6
        if noise_uj < CLEAR * span_s * contrast_uj_per_s:
            self._last_s = piece.start_s
            self._count += 1
            off_s, noise_s = min(span_s, abs(off_uj) / contrast_uj_per_s), noise_uj / contrast_uj_per_s
            off_s2 = max(0.0, off_s**2 - noise_s**2)
            self._off_s2 += max(1 / self._count, EDGE_MEMORY) * (off_s2 - self._off_s2)

    def se_s(self, nominal_s: float) -> float:
        """Standard error of an edge; `nominal_s` while too few were seen."""
        if self._count < FEWEST_EDGES:
            return max(SHARPEST_S, nominal_s)
        return max(SHARPEST_S, math.sqrt(self._off_s2) * (1 + 1 / self._count))


def level(power_w: float, se_w: float) -> Level:
    """No level is known better than steady work shows."""
    return Level(power_w, max(se_w, LEAST_SE_W, LEAST_SE * power_w))
