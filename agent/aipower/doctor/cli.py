"""The command `aipower doctor`: what works here, what does not, and what to do about it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from aipower.errors import AipowerError
from aipower.streams import discard

if TYPE_CHECKING:
    from aipower.doctor.finding import Finding
    from aipower.doctor.world import World

INTERRUPTED = 130
"""128 + SIGINT, as a shell gives."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of the command."""
    parser.add_argument("--json", action="store_true", help="print one JSON object (schema aipower.doctor/1)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the agent's configuration: where it listens")
    parser.add_argument("--listen", metavar="HOST:PORT", help="where the agent listens, instead of as configured")
    parser.set_defaults(main=main)


def run_doctor(arguments: Sequence[str]) -> int:
    """The exit code of `aipower doctor ARGUMENTS`: 0, 1 where a check failed, 2 for misuse (told on stderr)."""
    parser = argparse.ArgumentParser("aipower doctor", description="Check what can be measured on this machine.")
    add_arguments(parser)
    try:
        return main(parser.parse_args(arguments))
    except AipowerError as error:
        print(f"aipower doctor: {error}", file=sys.stderr)
        return error.exit_code


def main(
    args: argparse.Namespace,
    world: World | None = None,
    *,
    stdout: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    leave: Callable[[int], object] = os._exit,
) -> int:
    """Print the report; 0, or 1 where a check failed.

    A check that hangs leaves a thread inside the driver that could hang the interpreter's own end,
    so then the process ends at once, by `leave`.

    Raises:
        UsageError: The configuration is wrong.
        AipowerError: The report cannot be written.
    """
    # The machinery (HTTP, ctypes, sensors) is imported only where doctor runs: each command mounts this module.
    from aipower.doctor.checks import all_checks  # noqa: PLC0415 - see above
    from aipower.doctor.render import passed  # noqa: PLC0415 - see above
    from aipower.doctor.runner import run_checks  # noqa: PLC0415 - see above

    stream = stdout or sys.stdout
    variables = os.environ if environ is None else environ
    world = world or _this_machine(args, variables)
    try:
        findings = run_checks(all_checks(world), world.clock)
    except KeyboardInterrupt:
        leave(INTERRUPTED)
        return INTERRUPTED
    code = 0 if passed(findings) else 1
    try:
        _write(stream, _report(findings, args, stream, variables))
    finally:
        if any(finding.hung for finding in findings):
            leave(code)
    return code


def _this_machine(args: argparse.Namespace, environ: Mapping[str, str]) -> World:
    """The world, with the agent's address from flag, variables, file or default.

    Raises:
        UsageError: One of them is wrong.
    """
    from aipower.doctor.world import World  # noqa: PLC0415 - needed where doctor runs only
    from aipower.sensors.select import powercap_root  # noqa: PLC0415 - needed where doctor runs only
    from aipower.settings.address import parse_address  # noqa: PLC0415 - needed where doctor runs only
    from aipower.settings.config import load_effective  # noqa: PLC0415 - needed where doctor runs only

    flags = {"listen": args.listen} if args.listen is not None else {}
    listen = parse_address(load_effective(args.config, environ, flags).listen)
    return World(listen=listen, powercap=powercap_root(environ), environ=environ)


def _report(findings: Sequence[Finding], args: argparse.Namespace, stream: TextIO, environ: Mapping[str, str]) -> str:
    from aipower.doctor.render import as_json, as_text, encodable  # noqa: PLC0415 - needed where doctor runs only

    if args.json:
        return as_json(findings)
    colour = stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    encoding = getattr(stream, "encoding", None) or "ascii"
    text = as_text(findings, colour=colour, unicode=encodable(encoding))
    return text.encode(encoding, errors="backslashreplace").decode(encoding)


def _write(stream: TextIO, text: str) -> None:
    """Write and flush. A reader that has left (`| head`) is no error.

    Raises:
        AipowerError: The disk is full, for example.
    """
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        discard(stream)
    except OSError as error:
        discard(stream)
        raise AipowerError(f"the report cannot be written: {error.strerror or error}") from error
