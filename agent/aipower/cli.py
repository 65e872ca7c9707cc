"""`aipower`: the commands, each imported only when it is called."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from aipower.arguments import Parser
from aipower.errors import AipowerError

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "top": ("aipower.top.cli:add_arguments", "devices and processes with live watts and joules"),
        "jobs": ("aipower.jobs.cli:add_arguments", "what the jobs on this node use and hold"),
        "runs": ("aipower.runs.cli:add_runs_arguments", "list the runs that are kept"),
        "report": ("aipower.runs.cli:add_report_arguments", "show a run again, or report a job or user of a cluster"),
        "compare": ("aipower.compare.cli:add_arguments", "does one run use less energy than another?"),
        "merge": ("aipower.merge.cli:add_arguments", "make one run of the parts of many ranks and nodes"),
        "export": ("aipower.runs.cli:add_export_arguments", "write the runs that are kept to a file"),
        "rm": ("aipower.runs.cli:add_rm_arguments", "remove runs that are kept"),
        "equiv": ("aipower.footprint.cli:add_arguments", "what else takes as much energy"),
        "agent": ("aipower.daemon.cli:add_agent_arguments", "sample, attribute and serve Prometheus metrics"),
        "config": ("aipower.daemon.cli:add_config_arguments", "print or check the configuration"),
        "doctor": ("aipower.doctor.cli:add_arguments", "check what can be measured here"),
        "calibrate": ("aipower.calibrate.cli:add_arguments", "compare a sensor with an external meter"),
    }
)
"""The function that gives a command its options and sets `main`, imported only for the command that was asked for."""

INTERRUPTED = 128 + signal.SIGINT
"""As a shell reports it."""


def entry_point() -> None:
    """The `aipower` script."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run one command; its exit code, 2 for misuse, 130 after a Ctrl-C that the command does not handle."""
    try:
        if argv[:1] == ["run"]:
            # First of all, and by itself: the supervisor wants a process without threads and libraries.
            from aipower.run.cli import main as run  # noqa: PLC0415 - see above

            return run(argv[1:], "aipower run")
        return _dispatch(argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    except AipowerError as error:
        print(f"aipower: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # `aipower doctor | head`: the reader has seen enough.
        sys.stderr.close()
        return 0


def _dispatch(argv: Sequence[str]) -> int:
    from aipower import __version__  # noqa: PLC0415 - `aipower run` does not come here
    from aipower.imports.unbroken import imports  # noqa: PLC0415 - `aipower run` does not come here

    parser = Parser(prog="aipower", description="The power meter for AI jobs.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"aipower {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    commands.add_parser("run", help="measure one command (short form: aipower-run)", add_help=False)
    wanted = next((word for word in argv if not word.startswith("-")), "")
    for name, (where, told) in COMMANDS.items():
        command = commands.add_parser(name, help=told, allow_abbrev=False)
        if name == wanted:
            module, _, function = where.partition(":")
            with imports():
                found = importlib.import_module(module)
            getattr(found, function)(command)
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 2
    code: int = arguments.main(arguments)
    return code
