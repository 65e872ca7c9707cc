"""The scores as a table in Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.comparison.trial import Score

MOST_WRONG = 5.0
LEAST_HELD = 95.0
SIGMAS = 3.0
"""What chance makes of a share that is just as promised stays within three standard errors."""
COLUMNS = (
    "scenario",
    "saving %",
    "runs",
    "spread %",
    "said less %",
    "said more %",
    "false alarms %",
    "held %",
    "held (J) %",
    "width ± %",
)
NO_PROMISE = ("one run each", "drift", "lasting error in the spread")
"""Families for which nothing is promised: they show what goes wrong."""


def head() -> tuple[str, str]:
    """The first two lines."""
    return _line(COLUMNS), _line(["---", *("---:" for _ in COLUMNS[1:])])


def row(found: Score) -> str:
    """One scenario."""
    return _line(_cells(found))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def too_bold(found: Score) -> bool:
    """True where there are more false alarms, or fewer intervals that hold the truth, than chance explains."""
    if found.scenario.family.startswith(NO_PROMISE):
        return False
    error = 100 * math.sqrt(0.05 * 0.95 / found.worlds)
    return found.wrong > MOST_WRONG + SIGMAS * error or found.held < LEAST_HELD - SIGMAS * error


def _cells(found: Score) -> Sequence[str]:
    scenario = found.scenario
    return (
        scenario.family,
        f"{scenario.saving_percent:g}",
        "/".join(str(count) for count in dict.fromkeys(scenario.runs)),
        "/".join(f"{spread:g}" for spread in dict.fromkeys(scenario.spread_percent)),
        f"{found.less:.1f}",
        f"{found.more:.1f}",
        f"{found.wrong:.1f}",
        f"{found.held:.1f}",
        f"{found.held_j:.1f}",
        f"{found.half_percent:.2f}",
    )
