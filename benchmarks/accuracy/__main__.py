"""The accuracy of aipower on simulated hardware; exit code 1 where energy was not conserved or a bug was caught."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.accuracy.document import broken_laws, provenance, to_json, to_markdown
from benchmarks.accuracy.estimates import Outcome
from benchmarks.accuracy.plots import write_plots
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
    _write(asked, rows, outcomes)
    return _tell_broken(outcomes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="runs of each scenario (default: 20)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="where chance begins (default: 1)")
    parser.add_argument("--scenario", default="*", metavar="GLOB", help="which scenarios, as device/* (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the scores to FILE, too")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to FILE as Markdown, too")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw errors, coverage and widths into DIR as SVG")
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


def _write(asked: argparse.Namespace, rows: Sequence[Score], outcomes: Sequence[Outcome]) -> None:
    source = provenance(asked.seed, asked.runs)
    if asked.json:
        asked.json.write_text(to_json(rows, outcomes, catalogue(), source), encoding="utf-8")
    if asked.markdown:
        asked.markdown.write_text(to_markdown(rows, catalogue(), source), encoding="utf-8")
    if asked.plots:
        for path in write_plots(asked.plots, rows):
            print(f"drawn: {path}", file=sys.stderr)


def _tell_broken(outcomes: Sequence[Outcome]) -> int:
    broken = [line for outcome in outcomes for line in broken_laws(outcome)]
    for line in broken[:MOST_SHOWN]:
        print(f"BROKEN LAW: {line}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
