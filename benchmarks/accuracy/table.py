"""Scores as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.accuracy.case import Scenario
from benchmarks.accuracy.score import Coverage, Score

HEAD = (
    f"{'scenario':<34} {'subject':<10} {'method':<22} {'runs':>5} {'mean %':>8} {'p95 %':>8} {'bias %':>8}"
    f" {'cover %':>12} {'cover all %':>12} {'width %':>8} {'/best':>6} {'flag %':>6}  target"
)


def table(rows: Sequence[Score], scenarios: Mapping[str, Scenario]) -> str:
    """A line for each score under a head line."""
    return "\n".join([HEAD, *(_line(row, scenarios.get(row.scenario)) for row in rows)])


def verdict(row: Score, scenario: Scenario | None) -> str:
    """`ok` or `over` beside the target, empty where none was set for this row."""
    if scenario is None or row.method != "aipower" or row.subject != scenario.metric:
        return ""
    if scenario.target_percent is None:
        return "-"
    return f"{scenario.target_percent:g} {'ok' if row.mean_percent <= scenario.target_percent else 'over'}"


def _line(row: Score, scenario: Scenario | None) -> str:
    return (
        f"{row.scenario:<34} {row.subject:<10} {row.method:<22} {row.runs:>5} {row.mean_percent:>8.3f}"
        f" {row.p95_percent:>8.3f} {row.bias_percent:>8.3f} {_share(row.coverage):>12}"
        f" {_share(row.coverage_of_all):>12} {_number(row.width_percent, 3):>8} {_number(row.width_ratio, 2):>6}"
        f" {100 * row.flagged:>6.0f}  {verdict(row, scenario)}"
    ).rstrip()


def _share(coverage: Coverage | None) -> str:
    return "" if coverage is None else f"{100 * coverage.share:.1f} +-{100 * coverage.error:.1f}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
