"""The command `aipower compare`: does one run use less energy than another?"""

from __future__ import annotations

import argparse
import math
import os
import sys
from typing import TYPE_CHECKING

from aipower.errors import AipowerError, UsageError

if TYPE_CHECKING:
    from aipower.compare.model import Comparison, Pair, Question
    from aipower.compare.sides import Runs

EPILOG = """A and B are names, series, ids, files or `last`; a name stands for all runs of that name. The first is the
baseline. Several words with commas between them are one side."""
KINDS = ("total", "gpu", "cpu", "dram", "devices")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of the command."""
    parser.epilog = EPILOG
    parser.add_argument("runs", nargs="+", metavar="RUN", help="the baseline, then what is held against it")
    parser.add_argument("--at-least", type=percent, default=0.0, metavar="PERCENT", help="less is no difference")
    parser.add_argument("--of", choices=KINDS, default="total", help="which energy; devices: whole ones, with idle")
    parser.add_argument("--per", metavar="UNIT", help="energy per unit of work, as tokens; none: of whole runs")
    parser.add_argument("--higher", action="append", default=[], metavar="METRIC", help="of which more is better")
    parser.add_argument("--lower", action="append", default=[], metavar="METRIC", help="of which less is better")
    parser.add_argument("--fail-if-more", type=percent, metavar="PERCENT", help="exit 1 where more than that is shown")
    parser.add_argument("--json", action="store_true", help="print one JSON object (schema aipower.compare/1)")
    parser.add_argument("-v", "--verbose", action="store_true", help="also what makes the intervals wide")
    parser.set_defaults(main=main)


def percent(text: str) -> float:
    """A percentage below 100, with or without its sign.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = math.nan
    if not 0 <= value < 100:  # noqa: PLR2004 - nothing can be saved by more than all of it
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage from 0 to 100, as in 1%")
    return value


def main(arguments: argparse.Namespace, runs: Runs | None = None) -> int:
    """Print the comparison; 0, or 1 where `--fail-if-more` says so.

    Raises:
        UsageError: A word means no run, or the question cannot be put to these runs.
        AipowerError: The runs cannot be read.
    """
    # Only a comparison needs the statistics and the store; the help of all commands must not wait for them.
    from aipower.compare.build import compare  # noqa: PLC0415 - see above
    from aipower.compare.sides import sides_of  # noqa: PLC0415 - see above

    if runs is None:
        from aipower.store import open_store  # noqa: PLC0415 - see above

        runs = open_store()
    comparison = compare(sides_of(arguments.runs, runs), _question(arguments))
    _write(comparison, arguments)
    return 0 if arguments.fail_if_more is None else _gate(comparison, arguments.fail_if_more)


def _question(arguments: argparse.Namespace) -> Question:
    from aipower.compare.model import Direction, Question  # noqa: PLC0415 - as above

    both = sorted(set(arguments.higher) & set(arguments.lower))
    if both:
        raise UsageError(f"{both[0]} cannot be better both --higher and --lower")
    directions: dict[str, Direction] = dict.fromkeys(arguments.higher, "higher")
    directions |= dict.fromkeys(arguments.lower, "lower")
    per = "" if arguments.per == "none" else arguments.per
    return Question(arguments.of, per, arguments.at_least, directions)


def _write(comparison: Comparison, arguments: argparse.Namespace) -> None:
    from aipower.runs.output import STANDARD_OUTPUT, colours, say, write_file  # noqa: PLC0415 - as above

    if arguments.json:
        from aipower.compare.document import to_json  # noqa: PLC0415 - as above

        write_file(STANDARD_OUTPUT, [to_json(comparison)])
        return
    from aipower.compare.render import render  # noqa: PLC0415 - as above

    say(render(comparison, verbose=arguments.verbose, colour=colours(sys.stdout, os.environ)))


def _least(pair: Pair) -> float:
    """By how many percent it uses more at least."""
    found = pair.headline
    return found.interval_percent[0] if found is not None and found.interval_percent is not None else -math.inf


def _gate(comparison: Comparison, limit_percent: float) -> int:
    """1 where any side is shown to use more than the limit.

    Raises:
        UsageError: There is one run each: nothing to judge by.
        AipowerError: The sides cannot be compared.
    """
    for pair in comparison.pairs:
        if pair.verdict == "not repeated":
            raise UsageError("--fail-if-more needs two runs or more: measure with aipower-run -r 5")
        if pair.verdict == "not comparable":
            raise AipowerError(f"--fail-if-more: {pair.sentence}")
    shown = [pair for pair in comparison.pairs if _least(pair) > limit_percent]
    for pair in shown:
        print(f"aipower compare: {pair.other.label} uses over {limit_percent:g} % more", file=sys.stderr)
    return 1 if shown else 0
