"""The command: parse, open the GPU, run the experiments one after another, keep what each found at once."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu.card import CallFailedError, NoCardError, open_card
from benchmarks.gpu.loads import ChildLoads
from benchmarks.gpu.registry import EXPERIMENTS, chosen
from benchmarks.gpu.report import Result, about, as_json, heading, table
from benchmarks.gpu.seams import Bench, Experiment, SkipError, SystemClock


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description="Settle by experiment what the sensors of an NVIDIA GPU do. Nobody else should use the GPU.",
        allow_abbrev=False,
    )
    parser.add_argument("--list", action="store_true", help="list the experiments and exit")
    parser.add_argument("--only", metavar="NAME,...", default="", help="run these alone")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all results to FILE, after each experiment")
    parser.add_argument("--seconds-scale", metavar="X", type=float, default=1.0, help="factor on durations (1)")
    parser.add_argument("--gpu", metavar="N", type=int, default=0, help="NVML's index of the GPU (0)")
    return parser


def attempt(experiment: Experiment, bench: Bench) -> Result:
    """The result of one experiment; whatever goes wrong in it does not touch the others."""
    began_s = bench.clock.now_s()
    name, title = experiment.name, experiment.title
    try:
        outcome = experiment.run(bench)
    except (SkipError, CallFailedError) as error:
        return Result(name, title, "skipped", bench.clock.now_s() - began_s, str(error))
    except Exception as error:  # noqa: BLE001 - hours of results must not be lost to one mistake
        traceback.print_exc()
        return Result(name, title, "failed", bench.clock.now_s() - began_s, f"{type(error).__name__}: {error}")
    return Result(name, title, "done", bench.clock.now_s() - began_s, "", outcome.data, outcome.rows)


def perform(experiments: Sequence[Experiment], bench: Bench, target: Path | None) -> list[Result]:
    """Run, print and keep the experiments."""
    facts = about(bench.card, bench.clock.unix_s())
    print(heading(facts), end="", flush=True)
    results: list[Result] = []
    for experiment in experiments:
        print(f"{experiment.name}: about {experiment.seconds * bench.scale:.0f} s", file=sys.stderr, flush=True)
        results.append(attempt(experiment, bench))
        print(table(results[-1]), end="", flush=True)
        if target is not None:
            target.write_text(as_json(facts, bench.scale, results))
    return results


def listing() -> str:
    """The experiments, one a line."""
    return "".join(f"{one.name:16} {one.seconds:4.0f} s  {one.title}\n" for one in EXPERIMENTS)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 where an experiment failed or there is no GPU, 2 for a wrong command line."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.list:
        print(listing(), end="")
        return 0
    try:
        experiments = chosen([name for name in options.only.split(",") if name])
    except ValueError as error:
        parser.error(str(error))
    if not 0 < options.seconds_scale < float("inf"):
        parser.error("--seconds-scale wants a number above 0")
    if options.json is not None:
        try:
            options.json.open("a").close()  # a wrong path costs nothing now and an hour later
        except OSError as error:
            parser.error(f"--json: {error}")
    try:
        with open_card(options.gpu) as card:
            loads = ChildLoads(card.text("nvmlDeviceGetUUID"))
            results = perform(experiments, Bench(card, SystemClock(), loads, options.seconds_scale), options.json)
    except NoCardError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return int(any(result.status == "failed" for result in results))
