"""The record's rows, from simulated runs whose truth is known."""

from __future__ import annotations

import math
import random

import pytest

from aipower.record.device_rows import Span
from aipower.record.phases.rows import phase_rows
from aipower.runrecord import PhaseRecord
from benchmarks.accuracy.estimates import Outcome
from benchmarks.phases.runner import simulate
from benchmarks.phases.scenarios import catalogue
from benchmarks.phases.watch import PhaseWatch

TOP = 1


def watched(name: str, seed: int = 1) -> PhaseWatch:
    """A run of a scenario of the benchmark."""
    rng = random.Random(seed)
    run = PhaseWatch(catalogue()[name].build(rng), rng)
    run.run()
    return run


def by_path(rows: list[PhaseRecord]) -> dict[tuple[str, ...], PhaseRecord]:
    return {tuple(row.path): row for row in rows}


def test_who_told_nothing_has_no_rows() -> None:
    run = watched("turns/2s/h100")
    run.story.marks.tallies.clear()
    span = Span(20.0, 0.0, 1)
    assert phase_rows(run.story.marks, run.story.phases, run.meter.channels, run.ledger, span) == []


def test_rows_sum_to_the_run_and_inner_ones_stay_within_theirs() -> None:
    run = watched("nested/1s/h100")
    rows = by_path(run.rows())
    top_j = sum(row.energy_j.total or 0.0 for path, row in rows.items() if len(path) <= TOP)
    assert top_j == pytest.approx(run.ledger.run_part("run", "GPU-0").energy_uj / 1e6, abs=1e-6)
    for path, row in rows.items():
        inner_j = sum(other.energy_j.total or 0.0 for deeper, other in rows.items() if path and deeper[:-1] == path)
        assert inner_j <= (row.energy_j.total or 0.0) + 1e-6
        assert row.energy_j.gpu == row.energy_j.total
        assert row.energy_j.cpu is None
    assert rows["epoch", "step"].count == 16
    assert rows[()].count == 1


def test_intervals_hold_what_they_are_around_and_the_scale_widens_them() -> None:
    for row in watched("turns/2s/h100").rows():
        assert row.energy_j.total is not None
        assert row.interval_j.total is not None
        assert row.repeatable_interval_j.total is not None
        low_j, high_j = row.interval_j.total
        assert 0 <= low_j <= row.energy_j.total <= high_j < math.inf
        assert high_j >= row.repeatable_interval_j.total[1]
        (part,) = row.devices
        assert part.run_energy_j == row.energy_j.total
        assert part.energy_j >= part.run_energy_j


def test_what_changes_faster_than_the_sensor_looks_is_not_resolved() -> None:
    rows = by_path(watched("alternating/10+5ms/v100").rows())
    assert not rows["short",].resolved
    assert by_path(watched("turns/2s/h100").rows())["train",].resolved


@pytest.mark.parametrize(
    "name",
    ["turns/2s/h100", "turns/0.15s/v100", "nested/0.3s/v100", "ranks/2s/h100", "threads/0.5s/h100", "cpu/2s/rapl"],
)
def test_simulated_runs_are_told_as_they_were(name: str) -> None:
    outcomes = [simulate((name, number, 5)) for number in range(3)]
    assert [line for one in outcomes for line in one.broken] == []
    assert _held(outcomes) >= 0.8


def _held(outcomes: list[Outcome]) -> float:
    intervals = [(e.repeatable_j, e.true_j) for one in outcomes for e in one.estimates]
    held = [low <= true_j <= high for interval, true_j in intervals if interval for low, high in (interval,)]
    return sum(held) / len(held)
