"""Power as an exact function of time: every integral is a closed form or a prefix sum, never a numerical guess."""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

NOISE_W, NOISE_STEP_S = 1.0, 0.01
"""Standard deviation of the noise and the length of its steps (science of F1)."""


class Power(Protocol):
    """What a device really draws."""

    def between_j(self, start_s: float, end_s: float) -> float:
        """Exact energy from `start_s` to `end_s` in joules."""
        ...


class Steps:
    """Constant between `(from_s, watts)` steps; the first reaches back, the last forward without end."""

    def __init__(self, steps: Iterable[tuple[float, float]]) -> None:
        ordered = sorted(steps, key=lambda step: step[0])
        self._at_s = [at_s for at_s, _ in ordered]
        self._w = [watts for _, watts in ordered]
        pieces = ((b - a) * w for a, b, w in zip(self._at_s, self._at_s[1:], self._w, strict=False))
        self._before_j = [0.0, *itertools.accumulate(pieces)]

    def watts(self, at_s: float) -> float:
        """Power at `at_s`."""
        return self._w[self._index(at_s)]

    def between_j(self, start_s: float, end_s: float) -> float:
        """Energy in joules."""
        return self._until_j(end_s) - self._until_j(start_s)

    def scaled(self, factor: float) -> Steps:
        """The same course, `factor` times as high."""
        return Steps((at_s, factor * watts) for at_s, watts in zip(self._at_s, self._w, strict=True))

    def _until_j(self, at_s: float) -> float:
        index = self._index(at_s)
        return self._before_j[index] + (at_s - self._at_s[index]) * self._w[index]

    def _index(self, at_s: float) -> int:
        return max(0, bisect.bisect_right(self._at_s, at_s) - 1)


class Noise:
    """Normal noise around 0 W in short equal steps from 0 s to `until_s`; none outside."""

    def __init__(
        self, rng: random.Random, until_s: float, sigma_w: float = NOISE_W, step_s: float = NOISE_STEP_S
    ) -> None:
        self._step_s = step_s
        self._w = [rng.gauss(0.0, sigma_w) for _ in range(math.ceil(until_s / step_s))]
        self._before_j = [0.0, *itertools.accumulate(watts * step_s for watts in self._w)]

    def between_j(self, start_s: float, end_s: float) -> float:
        """Energy in joules, of either sign."""
        return self._until_j(end_s) - self._until_j(start_s)

    def _until_j(self, at_s: float) -> float:
        if at_s <= 0:
            return 0.0
        index = int(at_s / self._step_s)
        if index >= len(self._w):
            return self._before_j[-1]
        return self._before_j[index] + (at_s - index * self._step_s) * self._w[index]


@dataclass(frozen=True, slots=True)
class Warming:
    """Leakage of a chip that warms up from `start_s` to `end_s` and cools afterwards, with one time constant."""

    start_s: float
    end_s: float
    final_w: float
    """What it would come to if it never ended."""
    tau_s: float = 60.0

    def between_j(self, start_s: float, end_s: float) -> float:
        """Energy in joules."""
        return self._until_j(end_s) - self._until_j(start_s)

    def _until_j(self, at_s: float) -> float:
        warm_s = min(max(at_s - self.start_s, 0.0), self.end_s - self.start_s)
        decayed = 1 - math.exp(-warm_s / self.tau_s)
        warming_j = self.final_w * (warm_s - self.tau_s * decayed)
        if at_s <= self.end_s:
            return warming_j
        return warming_j + self.final_w * decayed * self.tau_s * (1 - math.exp((self.end_s - at_s) / self.tau_s))


@dataclass(frozen=True, slots=True)
class Sum:
    """Several powers at once."""

    parts: Sequence[Power]

    def between_j(self, start_s: float, end_s: float) -> float:
        """Energy in joules."""
        return sum(part.between_j(start_s, end_s) for part in self.parts)
