"""Whether a score reaches what was set for it, in one word each."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.accuracy.case import FLAGGED, Scenario, Target
from benchmarks.accuracy.estimates import METHOD
from benchmarks.accuracy.score import Score

LEAST_COVERAGE = 0.9
"""Intervals that hold the truth less often are `UNDER`."""


def verdict(row: Score, scenarios: Mapping[str, Scenario]) -> str:
    """The target and `ok` or `over`, and `UNDER` for intervals that are too narrow; empty where nothing is set."""
    if row.method != METHOD:
        return ""
    scenario = scenarios.get(row.scenario)
    target = scenario.targets.get(row.subject) if scenario else None
    words = [_reached(row, target)] if target else []
    return ", ".join([*words, *(["UNDER"] if is_under(row) else [])])


def is_under(row: Score) -> bool:
    """True where too few intervals hold the truth."""
    return row.stated is not None and row.stated.share < LEAST_COVERAGE


def is_over(row: Score, target: Target) -> bool:
    """True where `row` misses `target`."""
    if target.flagged is not None and row.flagged < target.flagged:
        return True
    mean_percent = row.unflagged_mean_percent if target.or_flagged else row.mean_percent
    if target.percent is not None and mean_percent is not None and mean_percent > target.percent:
        return True
    flagged = row.flagged_coverage if target.or_flagged else None
    return flagged is not None and flagged.share < LEAST_COVERAGE


def _reached(row: Score, target: Target) -> str:
    words = [] if target.percent is None else [f"{target.percent:g}"]
    if target.or_flagged or target.flagged is not None:
        words.append("or flag" if target.or_flagged else f"flag {100 * (target.flagged or FLAGGED):.0f} %")
    return f"{' '.join(words)} {'over' if is_over(row, target) else 'ok'}"
