"""`aipower-run`: measures one command. The order of the steps is the product; see `run_command`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aipower.errors import AipowerError, UsageError
from aipower.run.supervise import CommandError, Outcome, Supervisor, prepare

if TYPE_CHECKING:
    from aipower.run.measure import Measurement
    from aipower.run.options import RunOptions
    from aipower.seams import Clock

SHELL_SIGNAL_BASE = 128

# Everything else is imported where it is used: the supervisor must be ready before a thread or a library is, and a
# mistyped command should fail as fast as it would by itself.


def entry_point() -> None:
    """The `aipower-run` script."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None, prog: str = "aipower-run") -> int:
    """Run the command of `argv`; its exit code, 2 for misuse, 126 and 127 as a shell gives them."""
    with prepare() as supervisor:
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
    import threading  # noqa: PLC0415 - see above

    if any(thread.name == "aipower-sensors" for thread in threading.enumerate()):
        say("")
        os._exit(code)
    return code


def run_command(supervisor: Supervisor, argv: Sequence[str], prog: str) -> int:
    """The steps: options, output files, sensors, spawn, wait, last reads, report.

    Raises:
        AipowerError: Before the command was started; nothing has happened then.
    """
    from aipower.run.options import parse  # noqa: PLC0415 - see above

    options = parse(argv, prog)
    with Output(options.json) as output:
        from aipower.run.measure import Measurement  # noqa: PLC0415 - see above
        from aipower.seams import SystemClock  # noqa: PLC0415 - see above
        from aipower.sensors.select import parse_selection  # noqa: PLC0415 - see above

        clock = SystemClock()
        measurement = Measurement(parse_selection(options.sensors), options.interval_s, clock, os.environ)
        measurement.begin()
        if asked := asked_to_stop():
            return SHELL_SIGNAL_BASE + asked
        started_unix_s, started_s = clock.unix_s(), clock.monotonic_s()
        pid = supervisor.spawn(options.command)
        output.keep()
        measurement.spawned(pid, started_s, supervisor.helpers)
        outcome = supervisor.wait(wait_all=options.wait_all, on_exit=_at_the_end(options, measurement, clock))
        if options.wait_all:
            measurement.ended(clock.monotonic_s())
        _report(options, measurement, outcome, started_unix_s, output)
    return outcome.exit_code


def asked_to_stop() -> int:
    """The signal that asked us to end before there was a command to pass it on to, or 0."""
    asking = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
    heard = [number for number in signal.sigpending() & asking if signal.getsignal(number) is not signal.SIG_IGN]
    return min(heard, default=0)


def complain(message: str) -> None:
    """One line on standard error, if there still is one."""
    say(f"{message}\n")


def say(text: str) -> None:
    """`text` on standard error. The terminal may be gone, or there never was one; the exit code still counts."""
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


class Output:
    """The file for the record, opened before the command starts so that a mistyped path costs nothing.

    What the file held is kept until there is a record to replace it, and a file that we made goes again if no command
    was started.
    """

    def __init__(self, path: Path | None) -> None:
        """Open `path` for writing.

        Raises:
            UsageError: It cannot be written.
        """
        self._path = path
        self._descriptor: int | None = None
        self._ours = False
        if path is None:
            return
        self._ours = not path.exists()
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise UsageError(
                f"--json {path}: {error.strerror}; name a file in a folder that you may write to"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._descriptor is None or self._path is None:
            return
        os.close(self._descriptor)
        if self._ours:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def keep(self) -> None:
        """The command has started: from now on the file stays."""
        self._ours = False

    def write(self, content: bytes) -> None:
        """Replace what the file held by `content`; says so in one line where the disk refuses."""
        if self._descriptor is None:
            return
        try:
            with contextlib.suppress(OSError):  # a pipe or a device has no length
                os.ftruncate(self._descriptor, 0)
            with os.fdopen(os.dup(self._descriptor), "wb") as file:
                file.write(content)
        except OSError as error:
            complain(f"aipower-run: {self._path}: the record could not be written: {error.strerror}")


def _at_the_end(options: RunOptions, measurement: Measurement, clock: Clock) -> Callable[[], None]:
    """Read the sensors the moment the command ends, unless its descendants are to be waited for."""
    return (lambda: None) if options.wait_all else lambda: measurement.ended(clock.monotonic_s())


def _report(
    options: RunOptions, measurement: Measurement, outcome: Outcome, started_unix_s: float, output: Output
) -> None:
    from aipower.run.compose import compose  # noqa: PLC0415 - see above
    from aipower.run.record import to_json  # noqa: PLC0415 - see above
    from aipower.run.report import render  # noqa: PLC0415 - see above

    record = compose(options, measurement.result(), outcome, started_unix_s)
    if options.json is not None:
        output.write(to_json(record))
    if not options.quiet:
        say(render(record))
