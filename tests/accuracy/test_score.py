"""Scores of estimates whose answers are known."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.case import Scenario
from benchmarks.accuracy.estimates import Estimate, Outcome
from benchmarks.accuracy.scenarios.catalogue import catalogue
from benchmarks.accuracy.score import percentile, scores
from benchmarks.accuracy.table import table, verdict


def outcome(number: int, found_j: float, half_j: float) -> Outcome:
    interval_j = found_j - half_j, found_j + half_j
    return Outcome("device/x", number, (Estimate("aipower", "device", 100.0, found_j, None, interval_j),))


def test_error_coverage_and_width() -> None:
    (row,) = scores([outcome(0, 101, 2), outcome(1, 99, 2), outcome(2, 103, 2), outcome(3, 97, 4)])
    assert (row.runs, row.mean_percent, row.p95_percent, row.bias_percent) == (4, 2.0, 3.0, 0.0)
    assert row.coverage is not None
    assert row.coverage.share == 0.75
    assert row.coverage.error == pytest.approx((5 / 8 * 3 / 8 / 8) ** 0.5)
    assert row.coverage_of_all is None
    assert row.width_ratio == pytest.approx(2 / (1.959964 * 5**0.5))


def test_percentile_is_a_value_that_was_seen() -> None:
    assert percentile([5.0, 1.0, 3.0], 0.95) == 5.0
    assert percentile(list(map(float, range(1, 101))), 0.95) == 95.0


def test_verdict_only_in_the_metric_of_the_scenario() -> None:
    (row,) = scores([outcome(0, 101, 2)])
    build = next(iter(catalogue().values())).build
    assert verdict(row, Scenario("device/x", build, "device", 2.0)) == "2 ok"
    assert verdict(row, Scenario("device/x", build, "device", 0.5)) == "0.5 over"
    assert verdict(row, Scenario("device/x", build, "process", 0.5)) == ""
    assert "100.0 +-" in table([row], {}).splitlines()[1]
