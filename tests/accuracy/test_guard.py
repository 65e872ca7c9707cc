"""A small benchmark with fixed seeds: errors and coverage of the most important classes stay where they are.

The limits are generous, some two to ten times what is reached: this catches what breaks, not what drifts. No test of
the simulator depends on luck or on the machine: all chance comes from fixed seeds, all time is simulated.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchmarks.accuracy.case import FLAGGED
from benchmarks.accuracy.runner import Task, in_order, simulate_all
from benchmarks.accuracy.score import Score, scores

RUNS = {
    "device/burst-8.0s/h100": 30,
    "device/burst-2.5s/h100": 30,
    "device/burst-0.15s/h100": 30,
    "device/neighbour-2.5s/h100": 30,
    "process/pair-solo-phases": 14,
    "process/pair-always-together": 8,
    "cpu/phased-10min": 4,
    "mig/linear": 5,
    "again/5s": 30,
}
"""Fewer of those that take a second each; they have several processes."""
SEED = 11
LEAST_COVERAGE = 0.85

LIMITS = {
    ("device/burst-8.0s/h100", "device"): 0.1,
    ("device/burst-2.5s/h100", "device"): 0.2,
    ("device/burst-0.15s/h100", "device"): 1.0,
    ("device/neighbour-2.5s/h100", "device"): 0.5,
    ("process/pair-solo-phases", "process"): 3.0,
    ("cpu/phased-10min", "process"): 1.0,
    ("mig/linear", "process"): 2.0,
    ("again/5s", "run 2:1"): 1.0,
}
"""Mean error in percent by scenario and subject."""


@pytest.fixture(scope="module")
def rows() -> Mapping[tuple[str, str], Score]:
    todo = [Task(name, number, SEED) for name, runs in RUNS.items() for number in range(runs)]
    own = (row for row in scores(in_order(simulate_all(todo, 2))) if row.method == "aipower")
    return {(row.scenario, row.subject): row for row in own}


@pytest.mark.parametrize(("key", "limit"), LIMITS.items())
def test_mean_error_stays_under_its_limit(
    rows: Mapping[tuple[str, str], Score], key: tuple[str, str], limit: float
) -> None:
    assert rows[key].runs == RUNS[key[0]]
    assert rows[key].mean_percent <= limit


@pytest.mark.parametrize("key", [*LIMITS, ("process/pair-always-together", "process")])
def test_intervals_hold_the_truth(rows: Mapping[tuple[str, str], Score], key: tuple[str, str]) -> None:
    stated = rows[key].stated
    assert stated is not None
    assert stated.count >= 12
    assert stated.share >= LEAST_COVERAGE


def test_what_never_runs_apart_is_flagged(rows: Mapping[tuple[str, str], Score]) -> None:
    assert rows["process/pair-always-together", "process"].flagged >= FLAGGED
    assert rows["process/pair-solo-phases", "process"].flagged <= 1 - FLAGGED
