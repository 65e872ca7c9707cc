"""The command line of `aipower-run`: our options end at the first word that is none, as with env, nice and timeout."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aipower.arguments import Parser
from aipower.errors import UsageError

MIN_INTERVAL_S, MAX_INTERVAL_S = 0.01, 60.0
DEFAULT_INTERVAL_S = 0.1
STANDARD_STREAMS = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was asked for."""

    command: list[str]
    json: Path | None
    name: str
    quiet: bool
    verbose: bool
    interval_s: float
    sensors: str
    wait_all: bool
    agent: bool = False
    """Let the machine's agent measure, if there is one and no sensor or interval was asked for."""


def make_parser(prog: str = "aipower-run") -> argparse.ArgumentParser:
    """The parser of our own options."""
    parser = Parser(
        prog=prog,
        usage=f"{prog} [options] [--] command [argument...]",
        description="Measure the energy of a command: its GPUs, CPU and memory, and all processes that it starts.",
        epilog="The report goes to standard error; the exit code is the command's own.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the record (schema aipower.run/1) to FILE")
    parser.add_argument("--name", default="", help="a name for the run, kept in the record")
    parser.add_argument("-q", "--quiet", action="store_true", help="no report")
    parser.add_argument("-v", "--verbose", action="store_true", help="also how well runs compare, and calibrations")
    parser.add_argument(
        "--interval", metavar="SECONDS", type=float, help="time between sensor reads (default: 0.1); not by the agent"
    )
    parser.add_argument(
        "--sensors",
        metavar="LIST",
        help="auto, fake, fake:N, or nvml, rapl (default: auto); not by the agent",
    )
    parser.add_argument("--no-agent", action="store_true", help="measure here, even if an agent runs on this machine")
    parser.add_argument(
        "--wait", action="store_true", help="measure until the last descendant has ended, not only the command"
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    return parser


def parse(argv: Sequence[str], prog: str = "aipower-run") -> RunOptions:
    """The options and the command of `argv`.

    Raises:
        UsageError: An option is unknown or wrong, or there is no command.
        SystemExit: For --help and --version, after printing.
    """
    parser = make_parser(prog)
    ours, command = _split(argv)
    options = parser.parse_args(ours)
    if options.version:
        from aipower import __version__  # noqa: PLC0415 - reads the package's metadata, which costs milliseconds

        print(f"aipower {__version__}")
        raise SystemExit(0)
    if not command:
        raise UsageError(f"no command to run; usage: {parser.usage}")
    interval_s = DEFAULT_INTERVAL_S if options.interval is None else options.interval
    if not MIN_INTERVAL_S <= interval_s <= MAX_INTERVAL_S:
        raise UsageError(f"--interval {interval_s:g}: must be from {MIN_INTERVAL_S} to {MAX_INTERVAL_S:g} seconds")
    if options.json is not None and str(options.json) in STANDARD_STREAMS:
        raise UsageError(f"--json {options.json}: standard output belongs to the command; name a file")
    return RunOptions(
        command,
        options.json,
        options.name,
        options.quiet,
        options.verbose,
        interval_s,
        "auto" if options.sensors is None else options.sensors,
        options.wait,
        not options.no_agent and options.interval is None and options.sensors is None,
    )


VALUED = frozenset({"--json", "--name", "--interval", "--sensors"})


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our options, and the command: it begins at the first word that is no option or value of one, or after `--`."""
    position = 0
    while position < len(argv):
        word = argv[position]
        if word == "--":
            return list(argv[:position]), list(argv[position + 1 :])
        if not word.startswith("-") or word == "-":
            break
        position += 2 if word in VALUED else 1
    return list(argv[:position]), list(argv[position:])
