"""Who gets which part of the energy of work in one window, and how that depends on what is not known well."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from operator import mul

from msgspec import Struct, field

from aipower.attribution.evidence import Solution
from aipower.attribution.samples import Covariance, Refined, refined
from aipower.attribution.window import Window
from aipower.attribution.work import Work
from aipower.model import ProcessId

TINY_J = 1e-9
"""Stands for no energy where something must be divided by it."""


class Part(Struct, frozen=True):
    """One worker's part of one column: `seconds` of it, which are `share` of all seconds of the column."""

    process: ProcessId | None
    column: str
    seconds: float
    share: float


class Spread(Struct, frozen=True):
    """Variance of a share for the errors of the columns' seconds, worked out once for all who have one.

    The share of members who have `inside` of each column and `own` of all changes by `(inside - own)` times the
    column's relative weight: a quadratic form, of which most members' `inside` has one element.
    """

    joint: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Covariance of the columns' relative weights."""
    sums: Mapping[str, float] = field(default_factory=dict)
    """Of each column with all together."""
    total: float = 0.0

    def between(self, inside: Mapping[str, float], own: float) -> float:
        """The variance of a share."""
        mixed = sum([share * self.sums.get(column, 0.0) for column, share in inside.items()])
        joint = self.joint
        square = sum(
            [a * b * joint.get((one, other), 0.0) for one, a in inside.items() for other, b in inside.items()]
        )
        return max(0.0, square - 2 * own * mixed + own * own * self.total)


def spread_of(covariance_s2: Covariance, scales: Mapping[str, float]) -> Spread:
    """That of columns whose relative weight changes by `scales` for each second."""
    joint: dict[tuple[str, str], float] = {}
    sums: dict[str, float] = {}
    for (one, other), value in covariance_s2.items():
        if one in scales and other in scales:
            joint[one, other] = part = value * scales[one] * scales[other]
            sums[one] = sums.get(one, 0.0) + part / 2
            sums[other] = sums.get(other, 0.0) + part / 2
    return Spread(joint, sums, sum(joint.values()))


class Shares(Struct, frozen=True):
    """The parts of one window with the intensities by which they weigh."""

    parts: tuple[Part, ...] = ()
    intensities_w: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    covariance_s2: Covariance = field(default_factory=dict)
    gains: Mapping[str, float] = field(default_factory=dict)
    """By how many seconds a column grows for each joule that the window has more than expected."""
    looks_per_s: float = 0.0
    """Samples behind each second; 0 where seconds are exact."""
    weights: Mapping[ProcessId | None, float] = field(default_factory=dict)
    """Expected energy of work of each worker, in joules; only their proportions count."""
    inside: Mapping[ProcessId | None, Mapping[str, float]] = field(default_factory=dict)
    """The share of each column that each worker has."""
    total_j: float = 0.0
    """The sum of all weights."""
    spread: Spread = Spread()
    """What the errors of the columns' seconds make of a share."""

    def share_of(self, members: Iterable[ProcessId]) -> float:
        """The part of the energy of work that `members` get together, from 0 to 1."""
        return sum([self.weights.get(p, 0.0) for p in members]) / self.total_j if self.total_j > 0 else 0.0

    def sampling_variance(self, members: Collection[ProcessId]) -> float:
        """Variance of the share of `members` for the samples' sake: of the columns' seconds, and inside a column."""
        if self.total_j <= 0 or self.looks_per_s <= 0:
            return 0.0
        own, inside = self.share_of(members), self._inside(members)
        within = sum(self._within(column, share) for column, share in inside.items())
        if len(self.seconds) == 1:
            return within
        return self.spread.between(inside, own) + within

    def slopes(self, members: Collection[ProcessId]) -> dict[str, float]:
        """How the share of `members` changes per watt of each column's intensity.

        More watts of a column mean more energy for its seconds; but since the window's energy stands, they also mean
        fewer seconds of columns that the energy says are there.
        """
        if self.total_j <= 0 or len(self.seconds) == 1:
            return {}
        own, inside = self.share_of(members), self._inside(members)
        lean = {c: inside.get(c, 0.0) - own for c in self.seconds}
        pull = sum(self.intensities_w[c] * self.gains.get(c, 0.0) * lean[c] for c in self.seconds)
        return {c: seconds * (lean[c] - pull) / self.total_j for c, seconds in self.seconds.items()}

    def _inside(self, members: Collection[ProcessId]) -> Mapping[str, float]:
        if len(members) == 1:
            return self.inside.get(next(iter(members)), {})
        found: dict[str, float] = {}
        for member in members:
            for column, share in self.inside.get(member, {}).items():
                found[column] = found.get(column, 0.0) + share
        return found

    def _within(self, column: str, share: float) -> float:
        """Variance for telling processes of one column apart by their samples alone."""
        looks = max(1.0, self.looks_per_s * self.seconds[column])
        weight = self.intensities_w[column] * self.seconds[column] / self.total_j
        return weight**2 * share * max(0.0, 1 - share) / looks


def _made(parts: tuple[Part, ...], intensities_w: Mapping[str, float], better: Refined, looks_per_s: float) -> Shares:
    weights: dict[ProcessId | None, float] = {}
    inside: dict[ProcessId | None, dict[str, float]] = {}
    for part in parts:
        weight = intensities_w[part.column] * part.seconds
        if weight > 0:
            weights[part.process] = weights.get(part.process, 0.0) + weight
        own = inside.setdefault(part.process, {})
        own[part.column] = own.get(part.column, 0.0) + part.share
    total_j = sum(weights.values())
    scales = {c: intensities_w[c] / total_j for c in better.seconds} if total_j > 0 else {}
    return Shares(
        parts,
        intensities_w,
        better.seconds,
        better.covariance_s2,
        better.gains,
        looks_per_s,
        weights,
        inside,
        total_j,
        spread_of(better.covariance_s2, scales),
    )


def shares_of(window: Window, solution: Solution, energy_j: float, mean_w: float) -> Shares:
    """The parts of a window of `energy_j` joules of work; `mean_w` stands for intensities without evidence."""
    work, covariance = window.work, window.covariance_s2
    seen = work.seconds
    columns = list(dict.fromkeys([*seen, *(one for one, _ in covariance)]))
    if len(columns) == 1:
        alone = dict.fromkeys(columns, max(energy_j, TINY_J))
        seconds = seen or dict.fromkeys(columns, window.delta.span_s)
        return _made(tuple(_parts(work, seen, seconds)), alone, Refined(seconds, {}), window.looks_per_s)
    intensities = {c: max(solution.intensity_w(c, mean_w), 0.0) for c in columns}
    if not any(intensities.values()):
        intensities = dict.fromkeys(columns, max(energy_j, TINY_J) / max(sum(seen.values()), window.delta.span_s))
    error_j2 = solution.doubt_j**2 + window.alignment_j2 + _intensities_j2(window, solution)
    better = refined(seen, covariance, intensities, energy_j, error_j2)
    parts = tuple(_parts(work, seen, better.seconds))
    return _made(parts, intensities, better, window.looks_per_s)


def _intensities_j2(window: Window, solution: Solution) -> float:
    """What the intensities' errors leave open of the energy: for the seconds seen, and for how far those may be off.

    The second matters where two columns were never told apart: their seconds cannot be told by the energy either.
    """
    seen = window.work.seconds
    of_seen = sum(solution.variance_w2(one, other) * seen[one] * seen[other] for one in seen for other in seen)
    of_unseen = sum(solution.variance_w2(one, other) * value for (one, other), value in window.covariance_s2.items())
    return of_seen + max(0.0, of_unseen)


def _parts(work: Work, seen: Mapping[str, float], seconds: Mapping[str, float]) -> Iterable[Part]:
    """Each column's seconds go to its workers as they were seen, those of a column without any to who holds it."""
    for worker in work.workers:
        for column, own_s in worker.seconds.items():
            if seen[column] > 0:
                share = own_s / seen[column]
                yield Part(worker.process, column, share * seconds.get(column, 0.0), share)
    for column, total_s in seconds.items():
        holders = work.present.get(column, ())
        if seen.get(column, 0.0) > 0 or not holders:
            continue
        for holder in holders:
            yield Part(holder, column, total_s / len(holders), 1 / len(holders))


def standard_error(slopes: Mapping[str, float], solution: Solution, mean_w: float, prior_se: float) -> float:
    """The error that the intensities' errors make together; columns without evidence have the prior's."""
    place = solution.place
    without = sum([slope * slope for column, slope in slopes.items() if column not in place])
    variance = without * (prior_se * mean_w) ** 2
    # Each window asks this for each process, run and job: rows and vectors are multiplied without a lookup by name.
    vector = [slopes.get(column, 0.0) for column in solution.columns]
    for slope, row in zip(vector, solution.covariance_w2, strict=True):
        if slope:
            variance += slope * sum(map(mul, row, vector))
    return math.sqrt(max(0.0, variance))
