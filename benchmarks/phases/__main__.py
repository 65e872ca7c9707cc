"""The energy of phases on simulated hardware; exit code 1 where a law did not hold."""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.phases.runner import Task, simulate_all
from benchmarks.phases.scenarios import catalogue
from benchmarks.phases.table import table

MOST_SHOWN = 10


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    asked = _parser().parse_args(arguments)
    names = [name for name in catalogue() if fnmatch.fnmatch(name, asked.scenario)]
    todo: list[Task] = [(name, number, asked.seed) for name in names for number in range(asked.runs)]
    outcomes = sorted(
        simulate_all(todo, asked.jobs), key=lambda outcome: (names.index(outcome.scenario), outcome.number)
    )
    text = table(outcomes)
    print(text)
    if asked.markdown:
        asked.markdown.write_text(text + "\n", encoding="utf-8")
    broken = [f"{one.scenario} {one.number}: {line}" for one in outcomes for line in one.broken]
    for line in broken[:MOST_SHOWN]:
        print(f"BROKEN LAW: {line}", file=sys.stderr)
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phases", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="runs of each scenario (default: 20)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="where chance begins (default: 1)")
    parser.add_argument("--scenario", default="*", metavar="GLOB", help="which scenarios, as turns/* (default: all)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to FILE, too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at work")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
