"""`aipower`: the commands, each imported only when it is called."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from aipower.arguments import Parser
from aipower.errors import AipowerError

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
    from aipower import __version__  # noqa: PLC0415 - the version is read from the package's metadata
    from aipower.calibrate import cli as calibrate  # noqa: PLC0415 - `aipower run` does not come here
    from aipower.daemon import cli as daemon  # noqa: PLC0415 - `aipower run` does not come here
    from aipower.doctor import cli as doctor  # noqa: PLC0415 - `aipower run` does not come here

    parser = Parser(prog="aipower", description="The power meter for AI jobs.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"aipower {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    commands.add_parser("run", help="measure one command (short form: aipower-run)", add_help=False)
    agent = commands.add_parser("agent", help="sample, attribute and serve Prometheus metrics", allow_abbrev=False)
    daemon.add_arguments(agent)
    agent.set_defaults(main=daemon.run_agent)
    config = commands.add_parser("config", help="print or check the configuration", allow_abbrev=False)
    daemon.add_config_arguments(config)
    config.set_defaults(main=daemon.run_config)
    check = commands.add_parser("doctor", help="check what can be measured here", allow_abbrev=False)
    doctor.add_arguments(check)
    check.set_defaults(main=doctor.main)
    scale = commands.add_parser("calibrate", help="compare a sensor with an external meter", allow_abbrev=False)
    calibrate.add_arguments(scale)
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 2
    code: int = arguments.main(arguments)
    return code
