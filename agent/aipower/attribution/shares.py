"""Who gets which part of the energy of work in one window, and how that depends on what is not known well."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from aipower.attribution.evidence import Solution
from aipower.attribution.samples import Covariance, refined
from aipower.attribution.window import Window
from aipower.attribution.work import Work
from aipower.model import ProcessId


@dataclass(frozen=True, slots=True)
class Part:
    """One worker's part of one column: `seconds` of it, which are `share` of all seconds of the column."""

    process: ProcessId | None
    column: str
    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class Shares:
    """The parts of one window with the intensities by which they weigh."""

    parts: tuple[Part, ...] = ()
    intensities_w: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    covariance_s2: Covariance = field(default_factory=dict)
    gains: Mapping[str, float] = field(default_factory=dict)
    """By how many seconds a column grows for each joule that the window has more than expected."""
    looks_per_s: float = 0.0
    """Samples behind each second; 0 where seconds are exact."""

    def weights(self) -> dict[ProcessId | None, float]:
        """Expected energy of work of each worker, in joules; only their proportions count."""
        found: dict[ProcessId | None, float] = {}
        for part in self.parts:
            weight = self.intensities_w[part.column] * part.seconds
            found[part.process] = found.get(part.process, 0.0) + weight
        return {process: weight for process, weight in found.items() if weight > 0}

    @property
    def total_j(self) -> float:
        """The sum of all weights."""
        return sum(self.intensities_w[part.column] * part.seconds for part in self.parts)

    def share_of(self, members: Collection[ProcessId]) -> float:
        """The part of the energy of work that `members` get together, from 0 to 1."""
        total_j = self.total_j
        own_j = sum(self.intensities_w[p.column] * p.seconds for p in self.parts if p.process in members)
        return own_j / total_j if total_j > 0 else 0.0

    def sampling_variance(self, members: Collection[ProcessId]) -> float:
        """Variance of the share of `members` for the samples' sake: of the columns' seconds, and inside a column."""
        total_j, own = self.total_j, self.share_of(members)
        if total_j <= 0 or not self.covariance_s2:
            return 0.0
        inside = self._inside(members)
        slopes = {c: self.intensities_w[c] * (inside.get(c, 0.0) - own) / total_j for c in self.seconds}
        between = sum(
            slopes.get(one, 0.0) * slopes.get(other, 0.0) * value for (one, other), value in self.covariance_s2.items()
        )
        return max(0.0, between) + sum(self._within(column, inside.get(column, 0.0)) for column in self.seconds)

    def slopes(self, members: Collection[ProcessId]) -> dict[str, float]:
        """How the share of `members` changes per watt of each column's intensity.

        More watts of a column mean more energy for its seconds; but since the window's energy stands, they also mean
        fewer seconds of columns that the energy says are there.
        """
        total_j, own, inside = self.total_j, self.share_of(members), self._inside(members)
        if total_j <= 0:
            return {}
        pull = sum(
            self.intensities_w[c] * self.gains.get(c, 0.0) * (inside.get(c, 0.0) - own) for c in self.seconds
        )
        return {c: seconds * (inside.get(c, 0.0) - own - pull) / total_j for c, seconds in self.seconds.items()}

    def _inside(self, members: Collection[ProcessId]) -> dict[str, float]:
        found: dict[str, float] = {}
        for part in self.parts:
            if part.process in members:
                found[part.column] = found.get(part.column, 0.0) + part.share
        return found

    def _within(self, column: str, share: float) -> float:
        """Variance for telling processes of one column apart by their samples alone."""
        looks = max(1.0, self.looks_per_s * self.seconds[column])
        weight = self.intensities_w[column] * self.seconds[column] / self.total_j
        return weight**2 * share * max(0.0, 1 - share) / looks


def shares_of(window: Window, solution: Solution, energy_j: float, mean_w: float) -> Shares:
    """The parts of a window of `energy_j` joules of work; `mean_w` stands for intensities without evidence."""
    work, covariance = window.work, window.covariance_s2
    seen = work.seconds
    columns = list(dict.fromkeys([*seen, *(one for one, _ in covariance)]))
    intensities = {c: max(solution.intensity_w(c, mean_w), 0.0) for c in columns}
    if not any(intensities.values()):
        intensities = dict.fromkeys(columns, 1.0)
    error_j2 = solution.model_error_j2 + window.alignment_j2 + sum(
        solution.variance_w2(one, other) * seen[one] * seen[other] for one in seen for other in seen
    )
    better = refined(seen, covariance, intensities, energy_j, error_j2)
    parts = tuple(_parts(work, seen, better.seconds))
    return Shares(parts, intensities, better.seconds, better.covariance_s2, better.gains, window.looks_per_s)


def _parts(work: Work, seen: Mapping[str, float], seconds: Mapping[str, float]) -> Iterable[Part]:
    """Each column's seconds go to its workers as they were seen, those of a column without any to who holds it."""
    for worker in work.workers:
        for column, own_s in worker.seconds.items():
            if seen[column] > 0:
                share = own_s / seen[column]
                yield Part(worker.process, column, share * seconds.get(column, 0.0), share)
    for column, total_s in seconds.items():
        holders = work.present.get(column, ())
        if seen.get(column, 0.0) > 0 or total_s <= 0 or not holders:
            continue
        for holder in holders:
            yield Part(holder, column, total_s / len(holders), 1 / len(holders))


def standard_error(slopes: Mapping[str, float], solution: Solution, mean_w: float, prior_se: float) -> float:
    """The error that the intensities' errors make together; columns without evidence have the prior's."""
    variance = 0.0
    for one, a in slopes.items():
        if one not in solution.place:
            variance += (a * prior_se * mean_w) ** 2
            continue
        for other, b in slopes.items():
            variance += a * b * solution.variance_w2(one, other)
    return math.sqrt(max(0.0, variance))
