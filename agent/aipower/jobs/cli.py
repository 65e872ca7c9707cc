"""The command `aipower jobs`: what the jobs on this node have used, as its agent knows it."""

from __future__ import annotations

import argparse
import math
import os
import sys
from typing import TYPE_CHECKING

from aipower.errors import UsageError

if TYPE_CHECKING:
    from aipower.jobs.document import Document

TIMEOUT_S, LEAST_S, MOST_S = 5.0, 0.1, 600.0
SYSTEMS = ("slurm", "kubernetes", "docker", "podman", "containerd", "crio", "systemd", "none", "other")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of the command."""
    which = parser.add_argument_group("which jobs")
    which.add_argument("--job", default="", metavar="ID", help="only this job: a Slurm job, a pod's uid, a unit")
    which.add_argument("--system", choices=SYSTEMS, metavar="NAME", help=f"only of {', '.join(SYSTEMS)}")
    asked = parser.add_argument_group("who tells")
    asked.add_argument("--socket", metavar="PATH", help="the agent's socket (default: AIPOWER_SOCKET, or the usual)")
    asked.add_argument("--settle", action="store_true", help="first have the agent count all that was used until now")
    asked.add_argument(
        "--timeout",
        type=_seconds,
        default=TIMEOUT_S,
        metavar="SECONDS",
        help=f"for it all; default: {TIMEOUT_S:.0f}",
    )
    asked.add_argument("--from", dest="files", nargs="+", metavar="FILE|DIR", help="files of --json, not the agent")
    shown = parser.add_argument_group("what is written")
    shown.add_argument("--json", action="store_true", help="one JSON object (schema aipower.jobs/1)")
    shown.add_argument("--line", action="store_true", help="the sum as one line, for a comment")
    shown.add_argument("--nodes", type=_count, metavar="N", help="with --line: on how many nodes the job ran")
    shown.add_argument("--node", default="", metavar="NAME", help="what this node is called; default: its host name")
    shown.add_argument("--since", metavar="FILE", help="take off what a file of --json has: only what came after it")
    shown.add_argument("-o", "--output", default="-", metavar="FILE", help="default: -, standard output")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Ask, and show what was told; 0.

    Raises:
        UsageError: The options contradict one another.
        AipowerError: No agent answers, or a file cannot be read or written.
    """
    from aipower.runs.output import STANDARD_OUTPUT, write_file  # noqa: PLC0415 - not for --help

    _check(arguments)
    document = _document(arguments)
    if arguments.json or arguments.line or arguments.output != STANDARD_OUTPUT:
        write_file(arguments.output, [_written(arguments, document)])
    else:
        _show(document)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    if arguments.json and arguments.line:
        raise UsageError("--json and --line are two forms; leave one of them out")
    if arguments.files and (arguments.settle or arguments.socket):
        raise UsageError("--from reads files and asks no agent; leave --settle and --socket out")
    if arguments.nodes and not arguments.line:
        raise UsageError("--nodes is for --line")


def _document(arguments: argparse.Namespace) -> Document:
    from aipower.jobs.combining import read_documents, since  # noqa: PLC0415 - not for --help

    document = _from_files(arguments) if arguments.files else _from_agent(arguments)
    return since(document, read_documents([arguments.since])) if arguments.since else document


def _from_agent(arguments: argparse.Namespace) -> Document:
    from aipower.jobs.asking import Question, ask  # noqa: PLC0415 - not for --help

    question = Question(
        arguments.socket, arguments.system or "", arguments.job, arguments.node, arguments.settle, arguments.timeout
    )
    return ask(question, os.environ)


def _from_files(arguments: argparse.Namespace) -> Document:
    from msgspec.structs import replace  # noqa: PLC0415 - not for --help

    from aipower.jobs.combining import read_documents  # noqa: PLC0415 - not for --help

    document = read_documents(arguments.files)
    rows = (job for job in document.jobs if arguments.job in {"", job.job})
    return replace(document, jobs=tuple(job for job in rows if arguments.system in {None, job.system}))


def _written(arguments: argparse.Namespace, document: Document) -> bytes:
    from aipower.jobs.document import to_json  # noqa: PLC0415 - not for --help
    from aipower.jobs.line import line_of  # noqa: PLC0415 - not for --help
    from aipower.jobs.table import table  # noqa: PLC0415 - not for --help

    if arguments.line:
        return f"{line_of(document, arguments.nodes or len(document.nodes))}\n".encode()
    return to_json(document) if arguments.json else table(document, None).encode()


def _show(document: Document) -> None:
    from aipower.jobs.table import table  # noqa: PLC0415 - not for --help
    from aipower.runs.output import note, say, width_of  # noqa: PLC0415 - not for --help

    if document.jobs:
        say(table(document, width_of(sys.stdout, os.environ)))
    else:
        note("no job is known that fits; jobs are kept for a while after their end")
    if document.simulated:
        note("simulated sensors: no measurement")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not LEAST_S <= value <= MOST_S:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of seconds from {LEAST_S:g} to {MOST_S:g}')
    return value


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f'"{text}" is not a number of nodes')
