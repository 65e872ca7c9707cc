"""Measures one node, or all combinations, and writes a line of JSON for each program on each node."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.suite import rivals
from benchmarks.suite.table import Options
from benchmarks.watching import plan
from benchmarks.watching.agent import proc_calls
from benchmarks.watching.arm import Cost, Timing
from benchmarks.watching.field import Arm, field, run
from benchmarks.watching.node import Point
from benchmarks.watching.programs import AIPOWER, RIVALS


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each arm; 1 where one of them did not work."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watching", description=__doc__)
    nodes = parser.add_mutually_exclusive_group()
    nodes.add_argument("--full", action="store_true", help="all combinations of all axes: many hours with rivals")
    nodes.add_argument("--star", action="store_true", help="the nodes of the suite")
    parser.add_argument("--rapl", action="store_true", help="with processors whose energy is shared out")
    parser.add_argument("--rivals", default="none", help="folder of the rivals' environments (none)")
    parser.add_argument("--seconds", type=float, default=10.0, help="each for so long (10; or 20, 30...)")
    arguments = parser.parse_args(argv)
    places = None if arguments.rivals == "none" else Path(arguments.rivals).resolve()
    if places is not None:
        rivals.install(places)
    programs = [program for program in (AIPOWER, *RIVALS) if program.available(places)]
    arms = [Arm(program, point) for point in _points(arguments) for program in programs]
    with TemporaryDirectory() as scratch, field(Options(Path(scratch), Path(scratch), places)) as place:
        costs = [_told(arm, cost) for arm, cost in run(place, arms, Timing(10, arguments.seconds, 10))]
    return int(not all(costs))


def _points(arguments: argparse.Namespace) -> Sequence[Point]:
    if arguments.full:
        return tuple(plan.cross())
    points = plan.star() if arguments.star else (plan.CENTRE,)
    return plan.with_rapl(points) if arguments.rapl else points


def _told(arm: Arm, cost: Cost | None) -> bool:
    if cost is None:
        return False
    figures = {
        "program": arm.program.name,
        "node": plan.name(arm.point),
        "cpu_percent": cost.cpu_percent,
        "switches_per_s": cost.switches_per_s,
        "rss_mb": cost.memory.rss_mb,
        "pss_mb": cost.memory.pss_mb,
        "processes": cost.memory.processes,
        "driver_calls_per_s": cost.per_s["calls"],
        "driver_percent": cost.per_s["driver_percent"],
        "proc_calls_per_s": proc_calls(cost),
    }
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps(rounded), flush=True)
    return True
