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

    Settings = dict[str, str | float | bool | list[str]]
    """What was given, by field."""

MIN_INTERVAL_S, MAX_INTERVAL_S = 0.01, 60.0
DEFAULT_INTERVAL_S = 0.1
SERIES_VARIABLE = "AIPOWER_SERIES"
"""`ID:INDEX:COUNT`: which repetition of which series this run is; not for the command."""
MAX_PAIR_NAME = 100
MAX_PID = 1 << 22
MAX_REPETITIONS = 10_000
LARGEST = 1e300
PAIR_EXAMPLES = {"--metric": "accuracy=0.91", "--per": "tokens=123456"}
STANDARD_STREAMS = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})

SWITCHES = (
    (("-q", "--quiet"), "no report"),
    (("-v", "--verbose"), "also how well runs compare, calibrations, all processes and phases"),
    (("--live",), "a status line while the command runs, unless it uses the terminal itself"),
    (("--no-save",), "do not keep the run (see `aipower runs`)"),
    (("--no-agent",), "measure here, even if an agent runs on this machine"),
    (("--wait",), "measure until the last descendant has ended, not only the command"),
    (("--ignore-failure",), "with -r: go on after a repetition that fails"),
    (("--version",), "print the version and exit"),
)
"""Names and help; the last name is also the field's."""
VALUED = (
    (("--json",), "FILE", str, "write the record (schema aipower.run/1) to FILE"),
    (("--html",), "FILE", str, "write the report as one web page to FILE"),
    (("--name",), "NAME", str, "a name for the run, kept in the record"),
    (("--pid",), "PID", int, "measure a process that runs already, until it ends or Ctrl-C"),
    (("--metric",), "NAME=VALUE", str, "a figure of merit that the run carries; may be given again"),
    (("--per",), "UNIT=AMOUNT", str, "work that the run does, for energy per unit; may be given again"),
    (("--metrics-file",), "FILE", str, "figures of merit that the command writes: a JSON object, read at the end"),
    (("-r", "--repeat"), "N", int, "run the command N times and give the mean and its interval"),
    (("--warmup",), "N", int, "with -r: repetitions before, that do not count (default: 0)"),
    (("--prepare",), "COMMAND", str, "with -r: a shell command to run before each repetition"),
    (
        ("--cool-down",),
        "SECONDS",
        str,
        "with -r: pause between; auto (default) waits for idle power, off does not",
    ),
    (("--output",), "WHERE", str, "with -r: inherit (default) or null: what becomes of what the command writes"),
    (("--interval",), "SECONDS", float, "time between sensor reads (default: 0.1); not by the agent"),
    (("--sensors",), "LIST", str, "auto, fake, fake:N, or nvml, rapl (default: auto); not by the agent"),
)
"""Names, what the value stands for, its type, and help; the last name is also the field's."""
REPEATABLE = frozenset({"metric", "per"})
MAX_REPEATABLE = 100
PASSED_ON = ("interval", "sensors", "no_agent", "wait", "metric", "per", "metrics_file")
"""Options that each repetition of a series gets as well."""


class RunOptions:
    """What was asked for."""

    __slots__ = (
        "agent",
        "command",
        "html",
        "interval_s",
        "json",
        "live",
        "metrics",
        "metrics_file",
        "name",
        "pid",
        "quiet",
        "repeat",
        "save",
        "sensors",
        "settings",
        "verbose",
        "wait_all",
        "work",
    )

    def __init__(self, command: list[str], settings: Settings) -> None:
        self.command = command
        self.settings = settings
        self.json = str(settings["json"]) if "json" in settings else None
        self.html = str(settings["html"]) if "html" in settings else None
        self.name = str(settings.get("name", ""))
        self.quiet = "quiet" in settings
        self.verbose = "verbose" in settings
        self.live = "live" in settings
        self.save = "no_save" not in settings
        self.interval_s = float(_one(settings, "interval", DEFAULT_INTERVAL_S))
        self.sensors = str(settings.get("sensors", "auto"))
        self.wait_all = "wait" in settings
        self.pid = int(_one(settings, "pid", 0))
        self.repeat = int(_one(settings, "repeat", 0))
        self.metrics = _pairs("--metric", settings.get("metric", []))
        self.work = _pairs("--per", settings.get("per", []))
        self.metrics_file = str(settings.get("metrics_file", ""))
        self.agent = settings.keys().isdisjoint(("no_agent", "interval", "sensors", "pid"))
        """Let the machine's agent measure, if there is one and no sensor or interval was asked for."""

    def passed_on(self) -> tuple[str, ...]:
        """The options of `PASSED_ON` as they were given."""
        words: list[str] = []
        for field in PASSED_ON:
            value = self.settings.get(field)
            option = f"--{field.replace('_', '-')}"
            if value is True:
                words.append(option)
            elif value is not None:
                words += [f"{option}={one}" for one in (value if isinstance(value, list) else [value])]
        return tuple(words)


def _one(settings: Settings, field: str, default: float) -> float:
    value = settings.get(field, default)
    return value if isinstance(value, (int, float)) else default


def _pairs(option: str, words: object) -> list[str]:
    """The `NAME=VALUE` words of a repeatable option, each of them right.

    Raises:
        UsageError: One is not.
    """
    given = [str(word) for word in words] if isinstance(words, list) else []
    for word in given:
        name, equals, value = word.rpartition("=")
        if not (equals and name and len(name) <= MAX_PAIR_NAME and _finite(value)):
            raise UsageError(f"{option} {word}: expected NAME=NUMBER, as in {PAIR_EXAMPLES[option]}")
        if option == "--per" and float(value) <= 0:
            raise UsageError(f"{option} {word}: the amount of work must be above 0")
    if len(given) > MAX_REPEATABLE:
        raise UsageError(f"{option}: at most {MAX_REPEATABLE} times")
    return given


def _finite(word: str) -> bool:
    try:
        return abs(float(word)) <= LARGEST
    except ValueError:
        return False


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
    for names, metavar, kind, told in VALUED:
        action = "append" if _field(names[-1]) in REPEATABLE else "store"
        parser.add_argument(*names, metavar=metavar, type=kind, action=action, help=told)
    for names, told in SWITCHES:
        parser.add_argument(*names, action="store_true", help=told)
    return parser


def parse(argv: Sequence[str], prog: str = "aipower-run") -> RunOptions:
    """The options and the command of `argv`.

    Raises:
        UsageError: An option is unknown or wrong, or there is no command.
        SystemExit: For --help and --version, after printing.
    """
    argv = list(argv)
    settings, command = _quick(argv) or _by_argparse(argv, prog)
    if "version" in settings:
        from aipower import __version__  # noqa: PLC0415 - hardly ever needed

        print(f"aipower {__version__}")
        raise SystemExit(0)
    if not command and "pid" not in settings:
        raise UsageError(f"no command to run; usage: {_usage(prog)}")
    options = RunOptions(command, settings)
    _check(options)
    return options


def _check(options: RunOptions) -> None:
    """Refuse what cannot be.

    Raises:
        UsageError: A value is out of range, or options do not go together.
    """
    if not MIN_INTERVAL_S <= options.interval_s <= MAX_INTERVAL_S:
        raise UsageError(
            f"--interval {options.interval_s:g}: must be from {MIN_INTERVAL_S} to {MAX_INTERVAL_S:g} seconds"
        )
    for option, file in (("--json", options.json), ("--html", options.html)):
        if file is not None and os.path.normpath(file) in STANDARD_STREAMS:
            raise UsageError(f"{option} {file}: standard output belongs to the command; name a file")
    if options.pid and options.command:
        raise UsageError("--pid measures a process that runs already: leave the command away, or the option")
    if "pid" in options.settings and not 0 < options.pid <= MAX_PID:
        raise UsageError(f"--pid {options.pid}: no number of a process")
    if "pid" in options.settings and "repeat" in options.settings:
        raise UsageError("-r repeats a command; it cannot repeat a process that runs already")
    if "repeat" in options.settings and not 1 <= options.repeat <= MAX_REPETITIONS:
        raise UsageError(f"-r {options.repeat}: must be from 1 to {MAX_REPETITIONS}")
    for alone in ("warmup", "prepare", "cool_down", "ignore_failure", "output"):
        if alone in options.settings and "repeat" not in options.settings:
            raise UsageError(f"--{alone.replace('_', '-')} is for a series: give -r N too")


def _usage(prog: str) -> str:
    return f"{prog} [options] [--] command [argument...]"


def _field(name: str) -> str:
    """Where argparse keeps the value of the option `name`."""
    return name.strip("-").replace("-", "_")


def _quick(argv: Sequence[str]) -> tuple[Settings, list[str]] | None:
    """What was given, and the command; None where an option is not plainly one of the table with a plain value."""
    switches = {name: _field(names[-1]) for names, _ in SWITCHES for name in names}
    fields = {name: _field(names[-1]) for names, *_ in VALUED for name in names}
    kinds = {name: kind for names, _, kind, _ in VALUED for name in names}
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
            _keep(settings, fields[name], kinds[name](value))
        except ValueError:
            return None
    return settings, list(argv[position + 1 if argv[position : position + 1] == ["--"] else position :])


def _keep(settings: Settings, field: str, value: str | float) -> None:
    """The last value of an option holds; of those that may be given again, each."""
    if field not in REPEATABLE:
        settings[field] = value
        return
    listed = settings.setdefault(field, [])
    if isinstance(listed, list):
        listed.append(str(value))


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
    valued = {name for names, *_ in VALUED for name in names}
    position = 0
    while position < len(argv):
        word = argv[position]
        if word == "--":
            return list(argv[:position]), list(argv[position + 1 :])
        if not word.startswith("-") or word == "-":
            break
        position += 2 if word in valued else 1
    return list(argv[:position]), list(argv[position:])
