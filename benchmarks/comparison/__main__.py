"""Simulated pairs of programs with a known saving; exit code 1 where `aipower compare` says too much."""

from __future__ import annotations

import argparse
import fnmatch
import functools
import multiprocessing
import sys
from collections.abc import Iterable, Sequence

from benchmarks.comparison.scenario import Scenario, catalogue
from benchmarks.comparison.table import head, row, too_bold
from benchmarks.comparison.trial import Score, score


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    asked = _parser().parse_args(arguments)
    chosen = [scenario for scenario in catalogue() if fnmatch.fnmatch(scenario.name, asked.scenario)]
    if asked.list or not chosen:
        print("\n".join(scenario.name for scenario in chosen) or "no scenario matches")
        return 0 if chosen else 2
    print("\n".join(head()))
    found = []
    for each in _scores(chosen, asked):
        print(row(each), flush=True)
        found.append(each)
    bold = [each for each in found if too_bold(each)]
    for each in bold:
        print(f"{each.scenario.name}: {each.wrong:.1f} % false alarms, {each.held:.1f} % held", file=sys.stderr)
    return 1 if bold else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.comparison", description=__doc__)
    parser.add_argument("--worlds", type=int, default=2000, help="simulated pairs of each scenario")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenario", default="*", metavar="PATTERN", help="as 'plain*'")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="only names")
    return parser


def _scores(chosen: Sequence[Scenario], asked: argparse.Namespace) -> Iterable[Score]:
    run = functools.partial(score, worlds=asked.worlds, seed=asked.seed)
    if asked.jobs == 1:
        yield from map(run, chosen)
        return
    with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool:
        yield from pool.imap(run, chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
