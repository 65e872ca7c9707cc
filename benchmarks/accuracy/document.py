"""What came of a benchmark, for other programs (JSON) and for the repository (Markdown)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.case import Scenario
from benchmarks.accuracy.estimates import Outcome
from benchmarks.accuracy.score import Score
from benchmarks.accuracy.table import markdown
from benchmarks.accuracy.verdict import verdict

SCHEMA = "aipower.accuracy/2"
GIT_S = 10.0
LEGEND = """\
Simulated hardware with exactly known energy, driven through the real pipeline in simulated time.

- `mean`, `p95`, `bias`: size of the error, its 95th percentile, and the mean signed error, in percent of the truth.
- `cover`: share of the 95 % intervals without the sensor's scale that hold the truth, with its binomial error;
  `cover all`: the same with the scale.
- `width`: median half-width of the interval; `/best`: over that of the narrowest interval that could hold such errors.
- `flag`: share of the estimates that are flagged as doubtful: not to be told apart, aliased, or partial.
- `target`: the error to be reached and whether it is (`ok`, `over`); `UNDER` where fewer than 90 % of the intervals
  hold the truth.
"""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the figures come from."""

    date: str
    revision: str | None
    """Of git, with `+` where the tree differs from it; None outside a checkout."""
    python: str
    seed: int
    runs: int


def provenance(seed: int, runs: int) -> Provenance:
    """Of a benchmark that ends now."""
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return Provenance(today, _revision(), platform.python_version(), seed, runs)


def to_json(
    rows: Sequence[Score], outcomes: Iterable[Outcome], scenarios: Mapping[str, Scenario], source: Provenance
) -> str:
    """The document of `SCHEMA`; faults are the number of runs of a scenario in which each came up."""
    faults: dict[str, Counter[str]] = {}
    broken: list[str] = []
    for outcome in outcomes:
        faults.setdefault(outcome.scenario, Counter()).update(outcome.faults)
        broken += broken_laws(outcome)
    scores = [{**dataclasses.asdict(row), "verdict": verdict(row, scenarios)} for row in rows]
    body = {"schema": SCHEMA, **dataclasses.asdict(source), "scores": scores, "faults": faults, "broken_laws": broken}
    return json.dumps(body, indent=1) + "\n"


def to_markdown(rows: Sequence[Score], scenarios: Mapping[str, Scenario], source: Provenance) -> str:
    """A page with the table."""
    origin = f"{source.runs} runs of each scenario, seed {source.seed}, Python {source.python}, {source.date}"
    revision = f", revision {source.revision}" if source.revision else ""
    return f"# Accuracy on simulated hardware\n\n{origin}{revision}.\n\n{LEGEND}\n{markdown(rows, scenarios)}\n"


def broken_laws(outcome: Outcome) -> list[str]:
    """A line for each hard law that did not hold."""
    return [f"{outcome.scenario} run {outcome.number}: {law}" for law in outcome.broken]


def _revision() -> str | None:
    revision = _git("rev-parse", "--short", "HEAD")
    return None if revision is None else revision + ("+" if _git("status", "--porcelain", "-uno") else "")


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
