"""The accuracy of aipower on simulated hardware; exit code 1 where energy was not conserved or a bug was caught."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.accuracy.estimates import Outcome
from benchmarks.accuracy.runner import in_order, simulate_all, tasks
from benchmarks.accuracy.scenarios.catalogue import catalogue, matching
from benchmarks.accuracy.score import Score, scores
from benchmarks.accuracy.table import table

MOST_SHOWN = 10
"""Broken laws that are printed."""


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    asked = _parser().parse_args(arguments)
    chosen = [scenario.name for scenario in matching(asked.scenario)]
    if asked.list:
        print("\n".join(chosen))
        return 0
    if not chosen:
        print(f"no scenario matches {asked.scenario!r}; --list shows them all", file=sys.stderr)
        return 2
    todo = tasks(chosen, asked.runs, asked.seed)
    outcomes = in_order(_counted(simulate_all(todo, asked.jobs), len(todo)))
    places = {name: place for place, name in enumerate(chosen)}
    rows = sorted(scores(outcomes), key=lambda row: places[row.scenario])
    print(table(rows, catalogue()))
    if asked.json:
        _write(asked.json, rows, asked.seed)
    return _tell_broken(outcomes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="runs of each scenario (default: 20)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="where chance begins (default: 1)")
    parser.add_argument("--scenario", default="*", metavar="GLOB", help="which scenarios, as device/* (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores to FILE, too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at work")
    parser.add_argument("--list", action="store_true", help="show the names of the scenarios and end")
    return parser


def _counted(outcomes: Iterable[Outcome], total: int) -> Iterator[Outcome]:
    """`outcomes`, with a line on a terminal that counts them."""
    shown = sys.stderr.isatty()
    for number, outcome in enumerate(outcomes, 1):
        if shown:
            print(f"\r{number} of {total} runs", end="\n" if number == total else "", file=sys.stderr, flush=True)
        yield outcome


def _write(path: Path, rows: Sequence[Score], seed: int) -> None:
    document = {"schema": "aipower.accuracy/1", "seed": seed, "scores": [dataclasses.asdict(row) for row in rows]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _tell_broken(outcomes: Sequence[Outcome]) -> int:
    broken = [f"{o.scenario} run {o.number}: {law}" for o in outcomes for law in o.broken]
    for line in broken[:MOST_SHOWN]:
        print(f"BROKEN LAW: {line}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
