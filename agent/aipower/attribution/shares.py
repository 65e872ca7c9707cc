"""Who gets which part of the energy of work in one window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from aipower.attribution.evidence import Solution
from aipower.attribution.samples import Refined, refined
from aipower.attribution.symmetric import quadratic
from aipower.attribution.window import Window
from aipower.attribution.work import Work
from aipower.model import ProcessId

TINY_J = 1e-9
"""Stands for no energy where something must be divided by it."""

Stake = tuple[tuple[int, float], ...]
"""The shares of columns that somebody has, by their number; most have one."""


class Shares(Struct, frozen=True, gc=False):
    """The parts of one window with the intensities by which they weigh; all by number of the column."""

    columns: tuple[str, ...] = ()
    watts: Sequence[float] = ()
    better: Refined = Refined(())
    """The columns' seconds as the energy has corrected them."""
    looks_per_s: float = 0.0
    """Samples behind each second; 0 where seconds are exact."""
    joules: Sequence[float] = ()
    """Expected energy of each column."""
    weights: Mapping[ProcessId | None, float] = field(default_factory=dict)
    """Expected energy of work of each worker, in joules; only their proportions count."""
    total_j: float = 0.0
    """The sum of all weights."""


def portions(work: Work, column: str, whole: float) -> dict[ProcessId | None, float]:
    """`whole` among those who worked in a column, by their time, else among those who may have."""
    seconds = work.seconds.get(column, 0.0)
    if seconds > 0:
        each = whole / seconds
        return {process: each * own_s for process, own_s in zip(work.processes, work.own_s, strict=True) if own_s > 0}
    holders = work.present.get(column, ())
    return dict.fromkeys(holders, whole / len(holders)) if holders else {}


def stakes_of(work: Work, columns: Sequence[str]) -> dict[ProcessId | None, Stake]:
    """What each worker has of the columns: seconds go by what was seen, unseen ones to who holds the device."""
    place = {column: k for k, column in enumerate(columns)}
    seen = work.seconds
    found: dict[ProcessId | None, Stake] = {}
    if work.single:
        kinds = {column: (place[column], 1 / seconds) for column, seconds in seen.items() if seconds > 0}
        for process, column, own_s in zip(work.processes, work.columns, work.own_s, strict=True):
            kind = kinds.get(column)
            if kind is not None:
                found[process] = ((kind[0], own_s * kind[1]),)
    else:
        for process, column, own_s in zip(work.processes, work.columns, work.own_s, strict=True):
            if seen[column] > 0:
                found[process] = (*found.get(process, ()), (place[column], own_s / seen[column]))
    for k, holders in _unseen(work, columns):
        for holder in holders:
            found[holder] = ((k, 1 / len(holders)),)
    return found


def _unseen(work: Work, columns: Sequence[str]) -> Iterable[tuple[int, tuple[ProcessId, ...]]]:
    """Who may have worked in a column without being seen."""
    for k, column in enumerate(columns):
        holders = work.present.get(column, ())
        if holders and not work.seconds.get(column, 0.0) > 0:
            yield k, holders


def _made(window: Window, watts: Sequence[float], better: Refined) -> Shares:
    work, columns = window.work, window.columns
    joules = [intensity_w * seconds for intensity_w, seconds in zip(watts, better.seconds, strict=True)]
    rates = {
        column: whole_j / seconds if seconds > 0 else 0.0
        for (column, seconds), whole_j in zip(work.seconds.items(), joules, strict=False)
    }
    weights: dict[ProcessId | None, float] = {}
    for process, column, own_s in zip(work.processes, work.columns, work.own_s, strict=True):
        weight = own_s * rates[column]
        if weight > 0:
            weights[process] = weight if work.single else weights.get(process, 0.0) + weight
    for k, holders in _unseen(work, columns):
        if joules[k] > 0:
            weights.update(dict.fromkeys(holders, joules[k] / len(holders)))
    return Shares(columns, watts, better, window.looks_per_s, joules, weights, sum(weights.values()))


def _alone(window: Window, watts: float) -> Shares:
    """One column has all, whatever it draws: much less work than `_made` is."""
    work, columns = window.work, window.columns
    seconds = window.seconds if work.seconds else [window.delta.span_s]
    whole_j = watts * seconds[0]
    weights = portions(work, columns[0], whole_j) if whole_j > 0 else {}
    return Shares(columns, [watts], Refined(seconds), window.looks_per_s, [whole_j], weights, sum(weights.values()))


def shares_of(window: Window, solution: Solution, energy_j: float, mean_w: float) -> Shares:
    """The parts of a window of `energy_j` joules of work; `mean_w` stands for intensities without evidence."""
    columns, seen = window.columns, window.seconds
    if len(columns) == 1:
        return _alone(window, max(energy_j, TINY_J))
    watts = [max(solution.intensity_w(c, mean_w), 0.0) for c in columns]
    if not any(watts):
        watts = [max(energy_j, TINY_J) / max(sum(seen), window.delta.span_s)] * len(columns)
    error_j2 = solution.doubt_j**2 + window.alignment_j2 + _intensities_j2(window, solution)
    return _made(window, watts, refined(seen, window.covariance_s2, watts, energy_j, error_j2))


def _intensities_j2(window: Window, solution: Solution) -> float:
    """What the intensities' errors leave open of the energy: for the seconds seen, and for how far those may be off.

    The second matters where two columns were never told apart: their seconds cannot be told by the energy either.
    """
    sampled = window.covariance_s2
    if sampled is None:
        # Exact seconds stay as they are, whatever the energy says.
        return 0.0
    at = [(k, solution.place[column]) for k, column in enumerate(sampled.columns) if column in solution.place]
    seen, shares, errors = window.seconds, sampled.shares, solution.covariance_w2
    seconds, draws = [0.0] * len(errors), [0.0] * len(errors)
    diagonal = 0.0
    for k, i in at:
        seconds[i], draws[i] = seen[k], shares[k]
        diagonal += sampled.own_s2[k] * errors[i][i]
    of_unseen = diagonal - sampled.each_s2 * quadratic(errors, draws)
    return quadratic(errors, seconds) + max(0.0, of_unseen)
