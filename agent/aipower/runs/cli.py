"""The commands about runs that are kept: `aipower runs`, `report`, `rm` and `export`."""

from __future__ import annotations

import argparse

from aipower.runs.options import RUN_HELP, add_cluster_options, add_filters, count_of

SORTS = ("time", "energy", "duration")
LIMIT = 20
FORMATS = ("jsonl", "csv")


def add_runs_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of `aipower runs`."""
    add_filters(parser)
    parser.add_argument("--sort", choices=SORTS, default="time", help="what the last line has most of; default: time")
    many = parser.add_mutually_exclusive_group()
    many.add_argument(
        "-n", type=count_of, dest="limit", metavar="N", help=f"the last N runs; default: {LIMIT}, with --json all"
    )
    many.add_argument("--all", action="store_true", help="all runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object (schema aipower.runs/1)")
    parser.set_defaults(main=_runs)


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of `aipower report`."""
    parser.add_argument("run", nargs="?", metavar="RUN", help=f"{RUN_HELP}; default: last")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell more")
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="the whole record (schema aipower.run/1)")
    parser.add_argument("--csv", nargs="?", const="-", metavar="FILE", help="a long table, for pandas or R")
    parser.add_argument("--html", metavar="FILE", help="one page for a browser; - is standard output")
    add_cluster_options(parser)
    parser.set_defaults(main=_report)


def add_rm_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of `aipower rm`."""
    parser.add_argument("runs", nargs="*", metavar="RUN", help=RUN_HELP)
    add_filters(parser)
    parser.add_argument("--all", action="store_true", help="all runs")
    parser.add_argument("--dry-run", action="store_true", help="only tell what would go")
    parser.add_argument("-f", "--force", action="store_true", help="do not ask")
    parser.set_defaults(main=_rm)


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of `aipower export`."""
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"{RUN_HELP}; default: all runs")
    add_filters(parser)
    parser.add_argument("-o", "--output", default="-", metavar="FILE", help="default: -, standard output")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="jsonl: whole records, one a line (default); csv: a row for each run (default for FILE.csv)",
    )
    parser.set_defaults(main=_export)


def _runs(arguments: argparse.Namespace) -> int:
    from aipower.runs.listing import run_runs  # noqa: PLC0415 - only what the command needs

    return run_runs(arguments)


def _report(arguments: argparse.Namespace) -> int:
    from aipower.runs.reporting import run_report  # noqa: PLC0415 - as above

    return run_report(arguments)


def _rm(arguments: argparse.Namespace) -> int:
    from aipower.runs.removing import run_rm  # noqa: PLC0415 - as above

    return run_rm(arguments)


def _export(arguments: argparse.Namespace) -> int:
    from aipower.runs.exporting import run_export  # noqa: PLC0415 - as above

    return run_export(arguments)
