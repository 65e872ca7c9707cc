"""What a solution leaves of windows, and what that says of the model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.attribution.evidence import Solution
from aipower.attribution.rows import Row
from aipower.attribution.vectors import dot

SHARED = 4.0
"""Windows whose samples leave so many times the model's own variance open have been shared by unlike programs."""
FEWEST = 5
"""Fewer shared windows show no misfit."""
MISFIT_Z = 3.0
"""Standard errors beyond which shared windows do not have the sum of their parts' energies by chance."""
FAR = 2.4
"""Standard errors at which a window counts half less: 95 % efficient on normal errors (Holland and Welsch, 1977)."""
MEDIAN_CHI2 = 0.455
"""Median of the square of a standard normal variable."""
TRACE_J2 = 1e-6
"""The model is never taken to be better than this."""


class Residual(Struct, frozen=True, gc=False):
    """What a solution leaves of one window."""

    energy_j: float
    sampling_j2: float
    """Its variance for the samples' sake."""


def residual(row: Row, solution: Solution) -> Residual | None:
    """The energy beyond what the columns' seconds explain, and what of it sampling may explain.

    None where the solution says nothing of the window.
    """
    place = solution.place
    if not row.seen or any(column not in place for column in row.columns[: row.seen]):
        return None
    watts = [solution.intensity_w(column, 0.0) for column in row.columns]
    sampling_j2 = row.covariance_s2.form(watts) if row.covariance_s2 is not None else 0.0
    return Residual(row.energy_j - dot(watts, row.seconds), max(0.0, sampling_j2))


def judged(solution: Solution, residuals: Sequence[Residual | None]) -> Solution:
    """`solution` with what the residuals of its windows show the model to leave unexplained.

    By the median: phases that change inside a window make some of them far off.
    """
    floor_j2 = max(solution.floor_j2, TRACE_J2)
    found = [residual for residual in residuals if residual is not None]
    squares = sorted(r.energy_j**2 * floor_j2 / (floor_j2 + r.sampling_j2) for r in found)
    median_j2 = squares[len(squares) // 2] / MEDIAN_CHI2 if squares else 0.0
    misfit_j = _misfit_j([r for r in found if r.sampling_j2 > SHARED * floor_j2])
    error_j2, shown_j2 = max(floor_j2, median_j2), max(floor_j2 / 4, median_j2)
    return replace(solution, model_error_j2=error_j2, seen_j2=shown_j2, misfit_j=misfit_j)


def weight_of(found: Residual | None, solution: Solution) -> float:
    """Less for a window that the solution is far from (Cauchy's weight function)."""
    return 1.0 if found is None else 1 / (1 + found.energy_j**2 / (FAR**2 * solution.model_error_j2))


def _misfit_j(shared: Sequence[Residual]) -> float:
    """The mean of what shared windows have beyond the sum of their parts, 0 if chance explains it."""
    if len(shared) < FEWEST:
        return 0.0
    mean_j = sum(r.energy_j for r in shared) / len(shared)
    se_j = math.sqrt(sum(r.sampling_j2 for r in shared)) / len(shared)
    return abs(mean_j) if abs(mean_j) > MISFIT_Z * se_j else 0.0
