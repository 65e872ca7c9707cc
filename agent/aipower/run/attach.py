"""`aipower-run --pid N`: measures a process that runs already, and all below it, until it ends or Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import TYPE_CHECKING

from aipower.errors import UsageError
from aipower.processes.procfs import ProcFs, StatRow
from aipower.run.console import complain, in_one_line, say
from aipower.run.keeping import Keeping
from aipower.run.measured_here import MeasuredHere
from aipower.run.options import RunOptions
from aipower.run.supervise import Outcome

if TYPE_CHECKING:
    from aipower.run.wire import Field

LOOK_S = 0.2
"""How soon the end of the process, or a signal, is noticed where the kernel does not wake us."""
STOPS = frozenset((signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT))
PAUSES = frozenset((signal.SIGTSTP,))


def attach(options: RunOptions, keeping: Keeping, words: dict[str, Field]) -> int:
    """Measure it and report. 0: how the process ended is its parent's to know, and Ctrl-C is how this ends.

    Signals are blocked already, by aipower.run.supervise.prepare.

    Raises:
        UsageError: There is no such process.
        AipowerError: A sensor that was asked for is not to be had.
    """
    procfs = ProcFs()
    row = _found(procfs, options.pid)
    options.command = [_command_line(procfs, row)]
    measurement = MeasuredHere(options)
    if measurement.calibration_problem:
        complain(f"aipower-run: {measurement.calibration_problem}")
    measurement.begin(lambda: bool(signal.sigpending() & STOPS), lambda: None)
    started_unix_s = time.time()
    measurement.attach(options.pid)
    keeping.begin(measurement.run_id, started_unix_s)
    if not options.quiet:
        complain(f"aipower-run: measuring process {options.pid} until it ends or Ctrl-C")
    survivors = _wait(procfs, row)
    ended_s = time.monotonic()
    measurement.ended(ended_s)
    outcome = Outcome(exit_code=0, signal=None, ended_s=ended_s, cpu_s=0.0, max_rss_bytes=0, survivors=survivors)
    try:
        books = measurement.books(outcome, started_unix_s, words, record=keeping.wanted)
        say(books.report)
        if keeping.wanted:
            keeping.put(measurement.run_id, books.record)
    except Exception as error:  # noqa: BLE001 - as in aipower.run.cli: one line instead of a traceback
        complain(f"aipower-run: no report: {in_one_line(error)}")
        return 1
    return 0


def _found(procfs: ProcFs, pid: int) -> StatRow:
    row = procfs.stat(pid)
    if row is None or row.state in ("Z", "X"):
        raise UsageError(f"--pid {pid}: there is no such process")
    if pid == os.getpid():
        raise UsageError(f"--pid {pid}: that is aipower-run itself")
    return row


def _command_line(procfs: ProcFs, row: StatRow) -> str:
    with contextlib.suppress(OSError):
        return procfs.cmdline(row.pid) or row.comm
    return row.comm


def _wait(procfs: ProcFs, row: StatRow) -> int:
    """Until the process has ended (0) or we are to stop (1)."""
    try:
        descriptor = os.pidfd_open(row.pid)
    except OSError:
        descriptor = -1
    try:
        while _lives(procfs, row):
            if _asked_to_stop():
                return 1
            if descriptor >= 0:
                select.select([descriptor], [], [], LOOK_S)
            else:
                time.sleep(LOOK_S)
        return 0
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _lives(procfs: ProcFs, row: StatRow) -> bool:
    now = procfs.stat(row.pid)
    return now is not None and now.started_ticks == row.started_ticks and now.state not in ("Z", "X")


def _asked_to_stop() -> bool:
    """True after a signal that asks for it; one that asks for a pause is obeyed."""
    while (info := signal.sigtimedwait(STOPS | PAUSES, 0)) is not None:
        if info.si_signo in STOPS:
            return True
        os.kill(os.getpid(), signal.SIGSTOP)
    return False
