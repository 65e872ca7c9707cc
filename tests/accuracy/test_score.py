"""Scores of estimates whose answers are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.accuracy.case import Scenario, Target
from benchmarks.accuracy.estimates import Estimate, Outcome
from benchmarks.accuracy.scenarios.catalogue import catalogue
from benchmarks.accuracy.score import Score, percentile, scores
from benchmarks.accuracy.table import markdown, table
from benchmarks.accuracy.verdict import verdict


def outcome(number: int, found_j: float, half_j: float, *, flagged: bool = False) -> Outcome:
    interval_j = found_j - half_j, found_j + half_j
    return Outcome("device/x", number, (Estimate("aipower", "device", 100.0, found_j, None, interval_j, flagged),))


def judged(row: Score, target: Target) -> str:
    build = next(iter(catalogue().values())).build
    return verdict(row, {"device/x": Scenario("device/x", build, {"device": target})})


def test_error_coverage_and_width() -> None:
    (row,) = scores([outcome(0, 101, 2), outcome(1, 99, 2), outcome(2, 103, 2), outcome(3, 97, 4)])
    assert (row.runs, row.mean_percent, row.p95_percent, row.bias_percent) == (4, 2.0, 3.0, 0.0)
    assert row.coverage is not None
    assert (row.coverage.share, row.coverage.held, row.coverage.count) == (0.75, 3, 4)
    assert row.coverage.error == pytest.approx((5 / 8 * 3 / 8 / 8) ** 0.5)
    assert row.coverage_of_all is None
    assert row.width_ratio == pytest.approx(2 / (1.959964 * 5**0.5))


def test_percentile_is_a_value_that_was_seen() -> None:
    assert percentile([5.0, 1.0, 3.0], 0.95) == 5.0
    assert percentile(list(map(float, range(1, 101))), 0.95) == 95.0


def test_verdict_only_in_subjects_with_a_target() -> None:
    (row,) = scores([outcome(0, 101, 2)])
    assert judged(row, Target(2.0)) == "2 ok"
    assert judged(row, Target(0.5)) == "0.5 over"
    assert verdict(row, {}) == ""
    assert judged(replace(row, subject="process"), Target(0.5)) == ""
    assert judged(replace(row, method="raw counter"), Target(0.5)) == ""


def test_intervals_that_hold_too_rarely_are_under_with_a_target_or_without() -> None:
    (row,) = scores([outcome(0, 101, 0.5)])
    assert judged(row, Target(2.0)) == "2 ok, UNDER"
    assert verdict(row, {}) == "UNDER"


def test_what_cannot_be_told_apart_must_be_flagged() -> None:
    (row,) = scores([outcome(0, 150, 60, flagged=True), outcome(1, 60, 50)])
    assert judged(row, Target(flagged=0.85)) == "flag 85 % over"
    assert judged(row, Target(flagged=0.5)) == "flag 50 % ok"


@pytest.mark.parametrize(("found_j", "half_j", "said"), [(100.05, 60, "ok"), (101, 60, "over"), (100.05, 10, "over")])
def test_a_flag_excuses_an_error_where_the_interval_covers(found_j: float, half_j: float, said: str) -> None:
    (row,) = scores([outcome(0, 150, half_j, flagged=True), outcome(1, found_j, 2)])
    assert judged(row, Target(0.1, or_flagged=True)).startswith(f"0.1 or flag {said}")


def test_both_tables_show_the_coverage() -> None:
    rows = scores([outcome(0, 101, 2)])
    assert "100.0 +-" in table(rows, {}).splitlines()[1]
    head, rule, line = markdown(rows, {}).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert "| 100.0 +-" in line
