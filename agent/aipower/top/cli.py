"""The command `aipower top`: which process draws which power, now and since you look."""

from __future__ import annotations

import argparse
import logging
import math
import os
import shutil
import sys
from typing import TYPE_CHECKING

from aipower.errors import AipowerError, UsageError

if TYPE_CHECKING:
    from aipower.seams import Clock
    from aipower.top.look import Source
    from aipower.top.view import View

ONCE_S = 2.0
LEAST_INTERVAL_S, MOST_INTERVAL_S = 1.0, 60.0
MOST_ONCE_S = 86_400.0
PIPE_COLUMNS = 120
SORTS = ("power", "energy", "share", "pid", "user", "run", "command", "gpu", "cpu", "dram", "error")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of the command."""
    source = parser.add_argument_group("who measures")
    source.add_argument("--url", metavar="URL", help="the agent to ask (default: http://127.0.0.1:9877/metrics)")
    source.add_argument("--no-agent", action="store_true", help="measure here, even where an agent runs")
    source.add_argument(
        "--sensors", metavar="LIST", help="auto, nvml,rapl or the simulated fake:2; measured here then"
    )
    source.add_argument(
        "--interval", type=_interval, default=1.0, metavar="SECONDS", help="between two pictures (default: 1)"
    )
    text = parser.add_argument_group("without a screen")
    text.add_argument(
        "--once",
        type=_once,
        nargs="?",
        const=ONCE_S,
        metavar="SECONDS",
        help=f"print one snapshot after so many seconds (default: {ONCE_S:.0f})",
    )
    text.add_argument("-b", "--batch", action="store_true", help="print one snapshot after the other")
    text.add_argument("-n", "--count", type=_count, metavar="N", help="with -b: end after N snapshots")
    text.add_argument("--json", action="store_true", help="print JSON (schema aipower.top/1), one snapshot a line")
    rows = parser.add_argument_group("which rows")
    rows.add_argument("--sort", choices=SORTS, default="power", metavar="COLUMN", help=f"one of {', '.join(SORTS)}")
    rows.add_argument("--reverse", action="store_true", help="sort the other way round")
    rows.add_argument("--filter", default="", metavar="WORDS", help="only processes with these words")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Show what draws which power until it is enough; the exit code.

    Raises:
        UsageError: The options contradict one another, or there is no terminal for the screen.
        AipowerError: Nothing can be measured, or the agent does not answer.
    """
    from aipower.seams import SystemClock  # noqa: PLC0415 - each command mounts this module
    from aipower.top.choose import Choice, choose  # noqa: PLC0415 - likewise

    if arguments.count is not None and not arguments.batch:
        raise UsageError("-n counts the snapshots of -b; add -b")
    if arguments.batch and arguments.once is not None:
        raise UsageError("--once prints one snapshot, -b many; leave one of them out")
    printed = arguments.batch or arguments.json or arguments.once is not None
    if not printed:
        _demand_terminal()
    _quiet_log()
    clock = SystemClock()
    choice = Choice(arguments.url, arguments.no_agent, arguments.sensors, arguments.interval)
    source = choose(choice, clock, os.environ)
    try:
        code = _print(arguments, source, clock) if printed else _screen(arguments, source, clock)
    finally:
        source.stop()
    _leave_hanging(code)
    return code


def _print(arguments: argparse.Namespace, source: Source, clock: Clock) -> int:
    from aipower.top.printed import Print, print_snapshots  # noqa: PLC0415 - needed here only
    from aipower.top.watcher import Watcher  # noqa: PLC0415 - needed here only

    after_s = arguments.interval if arguments.batch else ONCE_S if arguments.once is None else arguments.once
    count = arguments.count if arguments.batch else 1
    columns = shutil.get_terminal_size((PIPE_COLUMNS, 24)).columns
    wanted = Print(after_s, count, arguments.json, max(20, columns))
    print_snapshots(source, Watcher(source, clock, arguments.interval), clock, wanted, _view(arguments), _write)
    return 0


def _write(text: str) -> None:
    """One snapshot to standard output, in an encoding that may lack our glyphs.

    Raises:
        AipowerError: The disk is full, for example. A reader that has left is a BrokenPipeError.
    """
    from aipower.top.painter import ASCII, encodable  # noqa: PLC0415 - needed here only

    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    shown = text if encodable(encoding) else text.translate(ASCII)
    try:
        sys.stdout.write(shown.encode(encoding, errors="replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise AipowerError(f"the snapshot cannot be written: {error.strerror or error}") from error


def _screen(arguments: argparse.Namespace, source: Source, clock: Clock) -> int:
    from aipower.top.app import App, end_by  # noqa: PLC0415 - needed here only
    from aipower.top.painter import Painter  # noqa: PLC0415 - needed here only
    from aipower.top.terminal import Terminal  # noqa: PLC0415 - needed here only
    from aipower.top.watcher import Watcher  # noqa: PLC0415 - needed here only

    colour = not os.environ.get("NO_COLOR")
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    terminal = Terminal(sys.stdin.fileno(), sys.stdout.fileno())
    app = App(source, terminal, Painter(colour=colour, encoding=encoding), clock, _view(arguments))
    code = app.run(Watcher(source, clock, arguments.interval), arguments.interval)
    if code < 0:
        source.stop()
        end_by(-code)
    return code


def _view(arguments: argparse.Namespace) -> View:
    from aipower.top.view import View  # noqa: PLC0415 - needed here only

    return View(sort=arguments.sort, reverse=arguments.reverse, filter=arguments.filter)


def _demand_terminal() -> None:
    from aipower.top.terminal import unfit  # noqa: PLC0415 - needed here only

    why = "there is no standard input or output"
    if sys.stdin is not None and sys.stdout is not None:
        why = unfit(sys.stdin.fileno(), sys.stdout.fileno(), os.environ)
    if why:
        raise UsageError(f"no screen here: {why}; use `aipower top --once`, or -b for one snapshot after the other")


def _quiet_log() -> None:
    """Warnings of the measuring parts would be written over the screen; what matters of them is on it anyway."""
    logging.getLogger().addHandler(logging.NullHandler())


def _leave_hanging(code: int) -> None:
    """End at once where a thread hangs in a driver, which could hold up the interpreter's own end."""
    from aipower.sensors.calls import hanging  # noqa: PLC0415 - needed here only

    if hanging():
        sys.stdout.flush()
        os._exit(code)


def _number(text: str, least: float, most: float) -> float:
    """A number within its bounds.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of seconds from {least:g} to {most:g}')
    return value


def _interval(text: str) -> float:
    return _number(text, LEAST_INTERVAL_S, MOST_INTERVAL_S)


def _once(text: str) -> float:
    return _number(text, 0.0, MOST_ONCE_S)


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f'"{text}" is not a number of snapshots')
