"""`python -m benchmarks.cluster load|churn`: what a cluster costs its Prometheus, and what churn does to a page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.cluster.hours import churn_table
from benchmarks.cluster.load import Plan, measure
from benchmarks.cluster.simulated import Size
from benchmarks.cluster.world import Churn


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    asked = _parser().parse_args(arguments)
    if asked.what == "load":
        size = Size(gpu_processes=asked.processes, host_processes=asked.host_processes)
        plan = Plan(asked.nodes, size, asked.interval, 60 * asked.minutes, asked.created, asked.repeats)
        measure(plan, _say)
        return 0
    churn = Churn(asked.per_hour, gpus=asked.gpus, jobs=asked.jobs)
    return 0 if churn_table(churn, asked.hours, asked.max_processes, asked.max_jobs, _say) else 1


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.cluster", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    load = what.add_parser("load", help="many nodes and one Prometheus")
    load.add_argument("--nodes", type=int, default=64)
    load.add_argument("--processes", type=int, default=64, help="GPU processes of each node")
    load.add_argument("--host-processes", type=int, default=0, help="processes of services on each node")
    load.add_argument("--interval", type=float, default=15.0, metavar="SECONDS", help="between two scrapes")
    load.add_argument("--minutes", type=float, default=5.0)
    load.add_argument("--created", action="store_true", help="keep the series of created timestamps")
    load.add_argument("--repeats", type=int, default=20, help="of each query; 0 for none")
    churn = what.add_parser("churn", help="short processes on one node")
    churn.add_argument("--hours", type=int, default=6)
    churn.add_argument("--per-hour", type=int, default=5000)
    churn.add_argument("--gpus", type=int, default=2)
    churn.add_argument("--jobs", action="store_true", help="each process is a job of its own")
    churn.add_argument("--max-processes", type=int, default=200)
    churn.add_argument("--max-jobs", type=int, default=200)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
