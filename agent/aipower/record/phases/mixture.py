"""What each phase draws, told from pieces of energy that hold several phases in changing parts.

Recursive least squares (a Kalman filter of constant powers): a piece in which phase i takes the share f_i of the time
has the mean power y = sum of f_i P_i + noise. Phases that always take the same parts of a piece are not told apart:
the errors of their powers stay large. The shares themselves are not exact, since the instants of the pieces are not:
that draws all powers to their mean, by the ratio of the variances of the error and of the shares (attenuation by
errors in variables, Fuller, 1987, 1.1). The ratio is estimated from the noise of the fit: as far as that, a power is
not believed, and its error is that of the mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aipower.energy.levels import LEAST_SE, LEAST_SE_W
from aipower.record.phases.usual import Leaves, Mean

MOST = 16
"""Phases that are told apart; the work grows with the square."""
PRIOR_SE = 0.7
"""Standard error of taking the mean power for that of a phase of which nothing is known, as a share of it."""
DRIFT = 0.003
"""Standard deviation by which a phase's power changes from piece to piece, as a share of it."""
FIRST_NOISE = 0.1
"""Standard deviation of the noise, as a share of the power, before it was seen."""
NOISE_MEMORY = 1 / 32
FAR = 3.0
"""Standard errors beyond which a piece counts no more than there: its instants may be wrong (Huber, 1964)."""


class Mixture:
    """The powers of the phases of one device and process."""

    def __init__(self) -> None:
        self._places: dict[Leaves, int] = {}
        self._powers_w: list[float] = []
        self._covariance_w2: list[list[float]] = []
        self._noise_w2 = 0.0
        self._mean = Mean()
        self._mixed: list[Mean] = []
        """Shares that each phase has of the pieces that it shares with others."""

    def power_w(self, leaves: Leaves) -> tuple[float, float] | None:
        """What a phase draws, and the standard error of that; None where nothing was seen of it."""
        place = self._places.get(leaves)
        if place is None:
            return None
        mean_w, drawn = self._mean.value, self._drawn(place)
        power_w = (1 - drawn) * self._powers_w[place] + drawn * mean_w
        variance_w2 = max(0.0, self._covariance_w2[place][place]) + (PRIOR_SE * mean_w * drawn) ** 2
        return max(0.0, power_w), math.sqrt(variance_w2)

    @property
    def noise_w(self) -> float:
        """By how much a piece differs from what its phases draw."""
        return math.sqrt(self._noise_w2)

    def see(self, shares: Mapping[Leaves, float], mean_w: float) -> None:
        """A piece of this mean power was made up of phases by `shares`, which sum to 1."""
        if any(leaves not in self._places for leaves in shares) and not self._place(shares, mean_w):
            return
        least_w2 = LEAST_SE_W**2 + (LEAST_SE * mean_w) ** 2
        if not self._mean.count:
            self._noise_w2 = max(least_w2, (FIRST_NOISE * mean_w) ** 2)
        self._mean.add(mean_w)
        parts = [(self._places[leaves], share) for leaves, share in shares.items()]
        for place, share in parts:
            if share < 1:
                self._mixed[place].add(share)
            self._covariance_w2[place][place] += (DRIFT * self._powers_w[place]) ** 2
        mixed_w2 = [sum(row[place] * share for place, share in parts) for row in self._covariance_w2]
        told_w2 = sum(mixed_w2[place] * share for place, share in parts)
        off_w = mean_w - sum(self._powers_w[place] * share for place, share in parts)
        most_w = FAR * math.sqrt(told_w2 + self._noise_w2)
        self._learn(mixed_w2, min(max(off_w, -most_w), most_w), told_w2 + self._noise_w2)
        weight = max(1 / (1 + self._mean.count), NOISE_MEMORY)
        self._noise_w2 = max(least_w2, (1 - weight) * self._noise_w2 + weight * max(0.0, off_w**2 - told_w2))

    def _drawn(self, place: int) -> float:
        """By which part of its distance to the mean a phase's power may be drawn to that."""
        error2, shares2 = self._noise_w2 / max(1.0, (PRIOR_SE * self._mean.value) ** 2), self._mixed[place].variance
        return min(1.0, error2 / shares2) if shares2 > 0 else 1.0

    def _place(self, shares: Mapping[Leaves, float], mean_w: float) -> bool:
        """Make room for what is new; False where there is none."""
        new = [leaves for leaves in shares if leaves not in self._places]
        if len(self._places) + len(new) > MOST:
            return False
        for leaves in new:
            self._places[leaves] = len(self._powers_w)
            self._powers_w.append(mean_w)
            self._mixed.append(Mean())
            for row in self._covariance_w2:
                row.append(0.0)
            self._covariance_w2.append([0.0] * len(self._powers_w))
            self._covariance_w2[-1][-1] = (PRIOR_SE * mean_w) ** 2
        return True

    def _learn(self, mixed_w2: Sequence[float], off_w: float, whole_w2: float) -> None:
        for place, one_w2 in enumerate(mixed_w2):
            gain = one_w2 / whole_w2
            if gain:
                self._powers_w[place] += gain * off_w
                row = self._covariance_w2[place]
                for other, other_w2 in enumerate(mixed_w2):
                    row[other] -= gain * other_w2
