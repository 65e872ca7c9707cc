"""The command line of `aipower-run`: our options end at the first word that is none, as with env, nice and timeout.

There is one table of options. Ordinary command lines are read by `_quick`; whatever is odd in them, or a mistake, is
left to argparse, which costs 6 ms to import and to fill.
"""

from __future__ import annotations

import os

from aipower.errors import UsageError

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    Settings = dict[str, str | float | bool]
    """What was given, by field."""

MIN_INTERVAL_S, MAX_INTERVAL_S = 0.01, 60.0
DEFAULT_INTERVAL_S = 0.1
STANDARD_STREAMS = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})

SWITCHES = (
    (("-q", "--quiet"), "no report"),
    (("-v", "--verbose"), "also how well runs compare, and calibrations"),
    (("--no-agent",), "measure here, even if an agent runs on this machine"),
    (("--wait",), "measure until the last descendant has ended, not only the command"),
    (("--version",), "print the version and exit"),
)
"""Names and help; the last name is also the field's."""
VALUED = (
    ("--json", "FILE", str, "write the record (schema aipower.run/1) to FILE"),
    ("--name", "NAME", str, "a name for the run, kept in the record"),
    ("--interval", "SECONDS", float, "time between sensor reads (default: 0.1); not by the agent"),
    ("--sensors", "LIST", str, "auto, fake, fake:N, or nvml, rapl (default: auto); not by the agent"),
)
"""Name, what the value stands for, its type, and help."""


class RunOptions:
    """What was asked for."""

    __slots__ = ("agent", "command", "interval_s", "json", "name", "quiet", "sensors", "verbose", "wait_all")

    def __init__(self, command: list[str], settings: Settings) -> None:
        self.command = command
        self.json = str(settings["json"]) if "json" in settings else None
        self.name = str(settings.get("name", ""))
        self.quiet = "quiet" in settings
        self.verbose = "verbose" in settings
        self.interval_s = float(settings.get("interval", DEFAULT_INTERVAL_S))
        self.sensors = str(settings.get("sensors", "auto"))
        self.wait_all = "wait" in settings
        self.agent = settings.keys().isdisjoint(("no_agent", "interval", "sensors"))
        """Let the machine's agent measure, if there is one and no sensor or interval was asked for."""


def make_parser(prog: str = "aipower-run") -> argparse.ArgumentParser:
    """The parser of our own options; it gives no value to those that were not given."""
    import argparse  # noqa: PLC0415 - only for help and mistakes, see above

    from aipower.arguments import Parser  # noqa: PLC0415 - as above

    parser = Parser(
        prog=prog,
        usage=_usage(prog),
        description="Measure the energy of a command: its GPUs, CPU and memory, and all processes that it starts.",
        epilog="The report goes to standard error; the exit code is the command's own.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    for name, metavar, kind, told in VALUED:
        parser.add_argument(name, metavar=metavar, type=kind, help=told)
    for names, told in SWITCHES:
        parser.add_argument(*names, action="store_true", help=told)
    return parser


def parse(argv: Sequence[str], prog: str = "aipower-run") -> RunOptions:
    """The options and the command of `argv`.

    Raises:
        UsageError: An option is unknown or wrong, or there is no command.
        SystemExit: For --help and --version, after printing.
    """
    settings, command = _quick(argv) or _by_argparse(argv, prog)
    if "version" in settings:
        from aipower import __version__  # noqa: PLC0415 - hardly ever needed

        print(f"aipower {__version__}")
        raise SystemExit(0)
    if not command:
        raise UsageError(f"no command to run; usage: {_usage(prog)}")
    options = RunOptions(command, settings)
    if not MIN_INTERVAL_S <= options.interval_s <= MAX_INTERVAL_S:
        raise UsageError(
            f"--interval {options.interval_s:g}: must be from {MIN_INTERVAL_S} to {MAX_INTERVAL_S:g} seconds"
        )
    if options.json is not None and os.path.normpath(options.json) in STANDARD_STREAMS:
        raise UsageError(f"--json {options.json}: standard output belongs to the command; name a file")
    return options


def _usage(prog: str) -> str:
    return f"{prog} [options] [--] command [argument...]"


def _field(name: str) -> str:
    """Where argparse keeps the value of the option `name`."""
    return name.strip("-").replace("-", "_")


def _quick(argv: Sequence[str]) -> tuple[Settings, list[str]] | None:
    """What was given, and the command; None where an option is not plainly one of the table with a plain value."""
    switches = {name: _field(names[-1]) for names, _ in SWITCHES for name in names}
    kinds = {name: kind for name, _, kind, _ in VALUED}
    settings: Settings = {}
    position = 0
    while position < len(argv) and argv[position].startswith("-") and argv[position] not in ("-", "--"):
        word, position = argv[position], position + 1
        if word in switches:
            settings[switches[word]] = True
            continue
        name, equals, value = word.partition("=")
        if not equals:
            value, position = "".join(argv[position : position + 1]), position + 1
        if name not in kinds or not value or value.startswith("-"):
            return None
        try:
            settings[_field(name)] = kinds[name](value)
        except ValueError:
            return None
    return settings, list(argv[position + 1 if argv[position : position + 1] == ["--"] else position :])


def _by_argparse(argv: Sequence[str], prog: str) -> tuple[Settings, list[str]]:
    """The same, of any command line.

    Raises:
        UsageError: An option is unknown or wrong.
        SystemExit: For --help, after printing.
    """
    ours, command = _split(argv)
    return vars(make_parser(prog).parse_args(ours)), command


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our options, and the command: it begins at the first word that is no option or value of one, or after `--`."""
    valued = {name for name, *_ in VALUED}
    position = 0
    while position < len(argv):
        word = argv[position]
        if word == "--":
            return list(argv[:position]), list(argv[position + 1 :])
        if not word.startswith("-") or word == "-":
            break
        position += 2 if word in valued else 1
    return list(argv[:position]), list(argv[position:])
