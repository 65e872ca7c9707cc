"""Least squares with priors where the columns themselves were sampled (docs/method/processes.md derives it).

All in units of the priors' errors: each intensity is its mean, give or take 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from aipower.attribution.symmetric import Matrix, eigen, is_positive, non_negative, quadratic
from aipower.attribution.vectors import dot

ROUNDS = 4
"""Fits in turn with the noise that they leave over; the third differs little from the second."""
UNSEEN = 1e-3
"""A direction with less than this share of the largest variation tells nothing (science of F3)."""
SIGNIFICANT = 3.0
"""Standard errors by which variation passes the noise of the samples, or energy follows a direction, to count."""
PRESENT = 0.1
"""A column belongs to a direction if its part of the squared unit vector is larger."""
LEAST_LEFT = 0.1
"""Of the variation in a direction at least this is taken for real: more noise than that was never seen."""
HALVINGS = 6
NOISE_SE = 0.6
"""How far the noise of the samples is known: processes that work in stretches are sampled better than at random."""


class Scaled(Struct, frozen=True):
    """Sums over windows: products of the columns, of their noise, and with energy."""

    windows: float
    seconds2: Matrix
    noise2: Matrix
    energies: Sequence[float]
    energy2: float
    means: Sequence[float]
    least_error: float
    """Error of one window's energy of work at least, as a share of it."""


class Fit(Struct, frozen=True):
    """The most likely values with their covariance, and the columns that nothing tells from one another."""

    values: Sequence[float]
    covariance: Matrix
    unknown: Sequence[int]
    floor_j2: float
    """The least square error of one window that is believed."""


def fitted(problem: Scaled) -> Fit:
    """Fit in turns: the noise that counts is no more than what the residuals show of it.

    Noise of the samples shrinks a plain fit towards equal intensities. It is taken out of the variation as far as the
    residuals bear it out, in directions that are known to vary beyond it or that the energy follows; in the others the
    prior stands.
    """
    floor_j2 = max(problem.least_error**2 * problem.energy2 / max(problem.windows, 1.0), 1e-12)
    vectors, doubtful = _directions(problem)
    known = _seen_along(problem, vectors)
    plain = _rounds(problem, known, floor_j2)
    followed = [vector for vector in doubtful if _is_followed(problem, vector, plain)]
    if followed:
        known = _seen_along(problem, [*vectors, *followed])
        plain = _rounds(problem, known, floor_j2)
    unknown = {k for vector in doubtful if vector not in followed for k in _members(vector)}
    covariance = _covariance(problem, known, plain)
    several = len(problem.means) > 1
    return Fit(plain.values, covariance, sorted(unknown) if several else [], floor_j2)


class _Known(Struct, frozen=True):
    """Directions in which something can be told, and the sums along them."""

    vectors: Sequence[Sequence[float]]
    along_seconds2: Matrix
    along_noise2: Matrix
    """In the coordinates of the directions."""
    seconds2: Matrix
    noise2: Matrix
    energies: Sequence[float]
    """In those of the columns."""


def _seen_along(problem: Scaled, vectors: Sequence[Sequence[float]]) -> _Known:
    """All there is where nothing is doubtful: then no part of it needs to be cut out."""
    size = len(problem.means)
    along_seconds2, along_noise2 = _projected(problem.seconds2, vectors), _projected(problem.noise2, vectors)
    if len(vectors) == size:
        all_ = (problem.seconds2, problem.noise2, problem.energies)
        return _Known(vectors, along_seconds2, along_noise2, *all_)
    columns = list(zip(*vectors, strict=True)) or [()] * size
    along = [dot(vector, problem.energies) for vector in vectors]
    return _Known(
        vectors,
        along_seconds2,
        along_noise2,
        _projected(along_seconds2, columns),
        _projected(along_noise2, columns),
        [dot(along, column) for column in columns],
    )


class _Round(Struct, frozen=True):
    """One fit, the square error of a window, and the part of the samples' noise that was taken out."""

    values: Sequence[float]
    error_j2: float
    borne: float


def _directions(problem: Scaled) -> tuple[list[Sequence[float]], list[Sequence[float]]]:
    """Directions that vary by more than the noise of the samples, beyond chance, and those that do not."""
    chance = 1 + SIGNIFICANT * math.sqrt(2 / max(problem.windows, 1.0))
    found = eigen(_less(problem.seconds2, problem.noise2, chance))
    least = UNSEEN * max(found.values, default=0.0)
    known = [vector for value, vector in zip(found.values, found.vectors, strict=True) if value > least]
    doubtful = [vector for value, vector in zip(found.values, found.vectors, strict=True) if value <= least]
    return known, doubtful


def _rounds(problem: Scaled, known: _Known, floor_j2: float) -> _Round:
    last = _Round(problem.means, floor_j2, 0.0)
    for _ in range(ROUNDS):
        borne = _bearable(known, last.borne)
        values = _ridge(_less(known.seconds2, known.noise2, borne), known.energies, problem.means, last)
        sampling_j2 = max(0.0, quadratic(problem.noise2, values)) / max(problem.windows, 1.0)
        left_j2 = _left_j2(problem, values) / max(problem.windows - len(values), 1.0)
        ratio = min(1.0, left_j2 / (floor_j2 + sampling_j2))
        last = _Round(values, max(floor_j2, left_j2), ratio)
    return last


def _bearable(known: _Known, borne: float) -> float:
    """No more of the noise than leaves a part of the variation in every known direction."""
    if borne <= 0:
        return borne
    most = _scaled(known.along_seconds2, 1 - LEAST_LEFT)
    for _ in range(HALVINGS):
        if is_positive(_less(most, known.along_noise2, borne)):
            return borne
        borne /= 2
    return 0.0


def _scaled(matrix: Matrix, factor: float) -> Matrix:
    return [[factor * value for value in row] for row in matrix]


def _ridge(matrix: Matrix, right: Sequence[float], means: Sequence[float], last: _Round) -> list[float]:
    """The values that lie nearest to the windows and to their means, by the errors of both."""
    error_j2 = last.error_j2
    held = [[v + (error_j2 if i == j else 0.0) for j, v in enumerate(row)] for i, row in enumerate(matrix)]
    return non_negative(held, [r + error_j2 * mean for r, mean in zip(right, means, strict=True)], last.values)


def _left_j2(problem: Scaled, values: Sequence[float]) -> float:
    """The sum of squares that the fit leaves."""
    return max(0.0, problem.energy2 - 2 * dot(values, problem.energies) + quadratic(problem.seconds2, values))


def _is_followed(problem: Scaled, vector: Sequence[float], fit: _Round) -> bool:
    """True where the energy follows a direction beyond chance: what the fit leaves is not free of it."""
    size = len(problem.means)
    rest = [problem.energies[i] - dot(problem.seconds2[i], fit.values) for i in range(size)]
    variation = quadratic(problem.seconds2, vector)
    return dot(vector, rest) ** 2 > SIGNIFICANT**2 * fit.error_j2 * variation > 0


def _covariance(problem: Scaled, known: _Known, fit: _Round) -> Matrix:
    """In each known direction: what is left of the prior's error, the windows' own, and the doubt about the noise."""
    size = len(problem.means)
    covariance: Matrix = [[float(i == j) for j in range(size)] for i in range(size)]
    inner = eigen(_less(known.along_seconds2, known.along_noise2, fit.borne))
    columns = list(zip(*known.vectors, strict=True))
    for seen, parts in zip(inner.values, inner.vectors, strict=True):
        vector = [dot(parts, column) for column in columns]
        change = _variance(problem, vector, max(seen, 0.0), fit) - 1
        for i, value in enumerate(vector):
            factor = change * value
            covariance[i] = [sum_ + factor * other for sum_, other in zip(covariance[i], vector, strict=True)]
    return covariance


def _variance(problem: Scaled, vector: Sequence[float], seen: float, fit: _Round) -> float:
    variation = quadratic(problem.seconds2, vector)
    whole = max(seen, LEAST_LEFT * variation) + fit.error_j2
    left = fit.error_j2 / whole
    unsure = NOISE_SE * fit.borne * quadratic(problem.noise2, vector) / whole
    return min(1.0, left**2 + fit.error_j2 * variation / whole**2 + unsure**2)


def _less(matrix: Matrix, other: Matrix, times: float) -> Matrix:
    return [[a - times * b for a, b in zip(row, rest, strict=True)] for row, rest in zip(matrix, other, strict=True)]


def _projected(matrix: Matrix, basis: Sequence[Sequence[float]]) -> Matrix:
    """The matrix in the coordinates of `basis`."""
    images = [[dot(row, vector) for row in matrix] for vector in basis]
    return [[dot(one, image) for image in images] for one in basis]


def _members(vector: Sequence[float]) -> list[int]:
    return [k for k, part in enumerate(vector) if part**2 > PRESENT]
