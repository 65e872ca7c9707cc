"""Scores as text: columns for a terminal, or a table of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.accuracy.case import Scenario
from benchmarks.accuracy.score import Coverage, Score
from benchmarks.accuracy.verdict import verdict

NAMES = (
    "scenario", "subject", "method", "runs", "mean %", "p95 %", "bias %", "cover %", "cover all %", "width %", "/best",
    "flag %", "target",
)  # fmt: skip
WIDTHS = (34, 10, 22, 5, 8, 8, 8, 12, 12, 8, 6, 6, 0)
TEXTS = 3
"""The first columns are text and stand left."""


def table(rows: Sequence[Score], scenarios: Mapping[str, Scenario]) -> str:
    """A line for each score under a head line."""
    return "\n".join([_line(NAMES), *(_line(_cells(row, scenarios)) for row in rows)])


def markdown(rows: Sequence[Score], scenarios: Mapping[str, Scenario]) -> str:
    """The same as a Markdown table."""
    rule = ["---" if place < TEXTS or name == "target" else "---:" for place, name in enumerate(NAMES)]
    cells = [NAMES, rule, *(_cells(row, scenarios) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _line(cells: Sequence[str]) -> str:
    sides = ("<" if place < TEXTS else ">" for place in range(len(cells)))
    return " ".join(f"{cell:{side}{width}}" for cell, side, width in zip(cells, sides, WIDTHS, strict=True)).rstrip()


def _cells(row: Score, scenarios: Mapping[str, Scenario]) -> Sequence[str]:
    return (
        row.scenario,
        row.subject,
        row.method,
        str(row.runs),
        f"{row.mean_percent:.3f}",
        f"{row.p95_percent:.3f}",
        f"{row.bias_percent:.3f}",
        _share(row.coverage),
        _share(row.coverage_of_all),
        _number(row.width_percent, 3),
        _number(row.width_ratio, 2),
        f"{100 * row.flagged:.0f}",
        verdict(row, scenarios),
    )


def _share(coverage: Coverage | None) -> str:
    return "" if coverage is None else f"{100 * coverage.share:.1f} +-{100 * coverage.error:.1f}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
