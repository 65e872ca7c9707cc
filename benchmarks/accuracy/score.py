"""How good a method is on a class of cases: error, coverage, and how wide its intervals are for that."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.accuracy.estimates import Estimate, Interval, Outcome

Z_95 = 1.959964
"""Half-width of a 95 % interval in standard errors of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of intervals that hold the truth."""

    share: float
    error: float
    """Its standard error; the intervals of one run count as one, for they err together."""
    held: int
    count: int


@dataclass(frozen=True, slots=True)
class Score:
    """One row: a method on one subject of one scenario. Errors are in percent of the truth."""

    scenario: str
    subject: str
    method: str
    runs: int
    mean_percent: float
    """Mean of the absolute errors."""
    p95_percent: float
    bias_percent: float
    """Mean of the signed errors."""
    coverage: Coverage | None
    """Of the intervals without the sensor's scale."""
    coverage_of_all: Coverage | None
    """Of the intervals with it."""
    width_ratio: float | None
    """Median half-width over that of the best interval possible for such estimates, 1.96 x their RMS error."""
    width_percent: float | None
    """Median half-width."""
    flagged: float
    """Share of estimates that the method says it cannot tell apart."""
    unflagged_mean_percent: float | None = None
    """Mean error of the others; None where all are flagged."""
    flagged_coverage: Coverage | None = None
    """Of the flagged ones' intervals without the scale; None where none is flagged."""

    @property
    def stated(self) -> Coverage | None:
        """The coverage by which intervals are judged: without the scale where that is to hold."""
        return self.coverage or self.coverage_of_all


def scores(outcomes: Iterable[Outcome]) -> list[Score]:
    """A row for each scenario, subject and method, in the order in which they appear."""
    groups: dict[tuple[str, str, str], list[tuple[int, Estimate]]] = defaultdict(list)
    for outcome in outcomes:
        for estimate in outcome.estimates:
            if estimate.true_j > 0:
                groups[outcome.scenario, estimate.subject, estimate.method].append((outcome.number, estimate))
    return [_score(*key, rows) for key, rows in groups.items()]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed.

    Raises:
        IndexError: There are none.
    """
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _score(scenario: str, subject: str, method: str, rows: Sequence[tuple[int, Estimate]]) -> Score:
    estimates = [estimate for _, estimate in rows]
    runs = len({number for number, _ in rows})
    errors = [_error_percent(e) for e in estimates]
    sizes = [abs(error) for error in errors]
    widths = [width for e in estimates if (width := _width_percent(e)) is not None]
    best = Z_95 * math.sqrt(statistics.fmean(error**2 for error in errors))
    width = statistics.median(widths) if widths else None
    plain_sizes = [abs(_error_percent(e)) for e in estimates if not e.flagged]
    return Score(
        scenario,
        subject,
        method,
        runs,
        statistics.fmean(sizes),
        percentile(sizes, 0.95),
        statistics.fmean(errors),
        _coverage(estimates, runs, lambda e: e.repeatable_j),
        _coverage(estimates, runs, lambda e: e.interval_j),
        width / best if width is not None and best > 0 else None,
        width,
        sum(e.flagged for e in estimates) / len(estimates),
        statistics.fmean(plain_sizes) if plain_sizes else None,
        _coverage([e for e in estimates if e.flagged], runs, lambda e: e.repeatable_j),
    )


def _error_percent(estimate: Estimate) -> float:
    return 100 * estimate.error_j / estimate.true_j


def _width_percent(estimate: Estimate) -> float | None:
    interval_j = estimate.repeatable_j or estimate.interval_j
    return None if interval_j is None else 50 * (interval_j[1] - interval_j[0]) / estimate.true_j


def _coverage(
    estimates: Sequence[Estimate], runs: int, interval_of: Callable[[Estimate], Interval | None]
) -> Coverage | None:
    """With the standard error of a binomial share that has seen two more of either kind (Agresti and Coull)."""
    held = [low <= e.true_j <= high for e in estimates if (interval := interval_of(e)) for low, high in (interval,)]
    if not held:
        return None
    share = sum(held) / len(held)
    guarded = (share * runs + 2) / (runs + 4)
    return Coverage(share, math.sqrt(guarded * (1 - guarded) / (runs + 4)), sum(held), len(held))
