"""`aipower-run`: measures one command. The order of the steps is the product; see `run_command`."""

from __future__ import annotations

import gc
import os
import sys
import time

from aipower.errors import AipowerError
from aipower.imports.lean import signal, suppress
from aipower.run.console import complain, in_one_line, say
from aipower.run.supervise import SHELL_SIGNAL_BASE, CommandError, Outcome, Supervisor, hold

TYPE_CHECKING = False  # see below
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from aipower.run.agent import MeasuredByAgent
    from aipower.run.asked import Asked
    from aipower.run.ear import Ear
    from aipower.run.keeping import Keeping
    from aipower.run.link import Link
    from aipower.run.measured_here import MeasuredHere
    from aipower.run.options import RunOptions
    from aipower.run.wire import Field

    Measurement = MeasuredHere | MeasuredByAgent

# Everything else is imported where it is used: the supervisor must be ready before a thread or a library is, and a
# mistyped command should fail as fast as it would by itself.
# A run with an agent may cost 50 ms, 11 of which are the interpreter's own start. So what such a run imports (this
# module, aipower.run.{supervise,options,link,agent} and what they import) does without typing (3 ms), dataclasses
# (9), pathlib (4), argparse (6), signal and contextlib (6), threading (3) and ctypes (3); type checkers take a
# TYPE_CHECKING that is assigned here for that of typing.
# Measured by benchmarks.wrapping, with the bytecode at hand: without it our modules alone take 15 ms more.


def entry_point() -> None:
    """The `aipower-run` script. It ends at once: taking the interpreter down costs 20 ms and frees nothing."""
    code = main()
    say("")
    os._exit(code)


def main(argv: Sequence[str] | None = None, prog: str = "aipower-run") -> int:
    """Run the command of `argv`; its exit code, 2 for misuse, 126 and 127 as a shell gives them."""
    with hold() as supervisor:
        try:
            code = run_command(supervisor, sys.argv[1:] if argv is None else argv, prog)
        except CommandError as error:
            complain(str(error))
            code = error.exit_code
        except AipowerError as error:
            complain(f"{prog}: {error}")
            code = error.exit_code
    return leave(code)


def leave(code: int) -> int:
    """`code`, or the end of the process at once where a thread hangs in a driver and would hold up a normal exit."""
    threading = sys.modules.get("threading")  # without it there is no thread
    if threading and any(one.name in {"aipower-sensors", "aipower-agent"} for one in threading.enumerate()):
        say("")
        os._exit(code)
    return code


def run_command(supervisor: Supervisor, argv: Sequence[str], prog: str) -> int:
    """The steps: options, call the agent, output files, sensors, spawn, wait, last reads, report.

    An agent reads its sensors while we get ready.

    Raises:
        AipowerError: Before the command was started; nothing has happened then.
    """
    from aipower.run.options import parse  # noqa: PLC0415 - see above

    options = parse(argv, prog)
    if options.repeat:
        return _repeat(supervisor, options, prog)
    link = _call_agent(options)
    try:
        return _run_one(supervisor, options, link)
    finally:
        if link is not None:
            link.close()


def _run_one(supervisor: Supervisor, options: RunOptions, link: Link | None) -> int:
    """One command or process; `link` leads to an agent that gets ready to measure it.

    Raises:
        AipowerError: As by `run_command`.
    """
    supervisor.post_witness()
    try:
        wanted, keeping = _preparations(options)
    except AipowerError:
        raise
    except Exception as error:  # noqa: BLE001 - as in `_begin`
        complain(f"aipower-run: the command runs unmeasured: {in_one_line(error)}")
        supervisor.spawn(options.command)
        return supervisor.wait(wait_all=options.wait_all).exit_code
    try:
        with keeping:
            if options.pid:
                from aipower.run.attach import attach  # noqa: PLC0415 - hardly ever needed

                return attach(options, keeping, wanted.words)
            return _run(supervisor, options, link, wanted, keeping)
    finally:
        wanted.release()


def _preparations(options: RunOptions) -> tuple[Asked, Keeping]:
    """What the record is to have, and where it goes.

    Raises:
        AipowerError: The user's configuration is wrong, or a file cannot be written.
    """
    from aipower.run.asked import asked  # noqa: PLC0415 - see above
    from aipower.run.keeping import Keeping  # noqa: PLC0415 - see above

    return asked(options, os.environ), Keeping(options, os.environ)


def _run(supervisor: Supervisor, options: RunOptions, link: Link | None, wanted: Asked, keeping: Keeping) -> int:
    """From the first read of the sensors to the report."""
    measurement = _begin(options, link)
    if signal_number := asked_to_stop():
        return SHELL_SIGNAL_BASE + signal_number
    ear = _ear(measurement)
    from aipower.run.options import SERIES_VARIABLE  # noqa: PLC0415 - see above

    environment, hand_on = (ear.environment, ear.descriptors) if ear else ({}, frozenset[int]())
    free = options.live and not (os.isatty(1) or os.isatty(2))
    started_unix_s, started_s = time.time(), time.monotonic()
    pid = supervisor.spawn(options.command, environment, hand_on, {SERIES_VARIABLE})
    if measurement is None:
        keeping.begin("", started_unix_s)
        return supervisor.wait(wait_all=options.wait_all).exit_code
    measurement.spawned(pid, started_s, supervisor.helpers)
    keeping.begin(measurement.run_id, started_unix_s)
    at_the_end = _at_the_end(options, measurement)
    with _status(options, measurement, free=free):
        outcome = supervisor.wait(wait_all=options.wait_all, on_exit=at_the_end, goes_on=measurement.goes_on)
    if options.wait_all:
        measurement.ended(time.monotonic())
    _report(options, measurement, outcome, started_unix_s, keeping, wanted.words)
    return outcome.exit_code


def _repeat(supervisor: Supervisor, options: RunOptions, prog: str) -> int:
    """A series: an outer process that starts this wrapper for each repetition. It has no command of its own.

    Raises:
        AipowerError: An option is wrong, or a repetition cannot be started.
    """
    from aipower.run.repeat.cli import run_series  # noqa: PLC0415 - only a series needs it
    from aipower.run.repeat.wanted import series_options  # noqa: PLC0415 - as above

    wanted = series_options(options)
    if signal_number := asked_to_stop():
        return SHELL_SIGNAL_BASE + signal_number
    supervisor.__exit__(None, None, None)
    return run_series(wanted, prog)


def _ear(measurement: Measurement | None) -> Ear | None:
    """The pipe by which the command's programs tell of their phases, if there is somebody to listen."""
    if measurement is None:
        return None
    from aipower.run.ear import open_ear  # noqa: PLC0415 - see above

    ear = open_ear()
    if ear is not None:
        measurement.listen(ear)
    return ear


def _status(options: RunOptions, measurement: Measurement, *, free: bool) -> AbstractContextManager[object]:
    """The status line, if one is wanted; where the terminal is not `free` for it, a note."""
    if not options.live:
        return suppress()
    from aipower.run.live import status_line  # noqa: PLC0415 - hardly ever needed

    return status_line(measurement, free=free)


def _begin(options: RunOptions, link: Link | None) -> Measurement | None:
    """The measurement, begun, by the agent if there is one; None where we cannot even begin: the command runs still.

    Raises:
        AipowerError: An option is wrong, or a sensor that was asked for is not to be had.
    """
    gc.disable()  # what is imported now is no garbage; to look for some in it takes 7 ms
    try:
        return (link and _by_agent(options, link)) or _begin_here(options)
    except AipowerError:
        raise
    except Exception as error:  # noqa: BLE001 - a file or thread too many must not cost the command
        complain(f"aipower-run: the command runs unmeasured: {in_one_line(error)}")
        return None
    finally:
        gc.freeze()
        gc.enable()


def _call_agent(options: RunOptions) -> Link | None:
    """An agent that is told to get ready; None where none is to be had."""
    from aipower.run.link import Link, LinkError, fits, reach  # noqa: PLC0415 - see above

    if not options.agent or not fits(options.command) or (connection := reach(os.environ)) is None:
        return None
    link = Link(connection)
    try:
        link.open(options.name)
    except LinkError:
        link.close()
        return None
    return link


def _by_agent(options: RunOptions, link: Link) -> MeasuredByAgent | None:
    """The agent's measurement, ready for the command to start; None where it refuses."""
    from aipower.run.agent import MeasuredByAgent  # noqa: PLC0415 - while the agent reads its sensors
    from aipower.run.link import LinkError  # noqa: PLC0415 - see above

    try:
        return MeasuredByAgent(link, link.opened(), options)
    except LinkError:
        link.close()
        return None


def _begin_here(options: RunOptions) -> Measurement:
    from aipower.run.lightly import import_library, import_msgspec  # noqa: PLC0415 - see above

    import_msgspec()
    import_library()
    from aipower.run.measured_here import MeasuredHere  # noqa: PLC0415 - see above

    measurement = MeasuredHere(options)
    if measurement.calibration_problem:
        complain(f"aipower-run: {measurement.calibration_problem}")
    measurement.begin(lambda: asked_to_stop() > 0, lambda: _tell_of_wait(options))
    return measurement


def _tell_of_wait(options: RunOptions) -> None:
    if not options.quiet:
        complain("aipower-run: waiting for the GPU driver...")


def asked_to_stop() -> int:
    """The signal that asked us to end before there was a command to pass it on to, or 0."""
    asking = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
    heard = [number for number in signal.sigpending() & asking if signal.getsignal(number) is not signal.SIG_IGN]
    return min(heard, default=0)


def _at_the_end(options: RunOptions, measurement: Measurement) -> Callable[[], None]:
    """Read the sensors the moment the command ends, unless its descendants are to be waited for."""
    return (lambda: None) if options.wait_all else lambda: measurement.ended(time.monotonic())


def _report(
    options: RunOptions,
    measurement: Measurement,
    outcome: Outcome,
    started_unix_s: float,
    keeping: Keeping,
    words: dict[str, Field],
) -> None:
    """Record and report. Whatever breaks in them is one line: the exit code is the command's."""
    from aipower.run.asked import with_file_metrics  # noqa: PLC0415 - see above

    try:
        with_file_metrics(words, options.metrics_file)
        books = measurement.books(outcome, started_unix_s, words, record=keeping.wanted)
        if books.report:
            say(books.report)
        if keeping.wanted:
            keeping.put(measurement.run_id, books.record)
    except Exception as error:  # noqa: BLE001 - see the docstring
        complain(f"aipower-run: no report: {in_one_line(error)}")
