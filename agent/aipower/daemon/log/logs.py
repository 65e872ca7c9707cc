"""The agent's log on stderr. It never holds up the agent and never breaks it, whatever becomes of the reader."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aipower.daemon.log.logformat import Form, form_of
from aipower.daemon.log.loglimit import LogLimit
from aipower.daemon.log.outlet import Outlet
from aipower.seams import Clock, SystemClock

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

log = logging.getLogger(__name__)

STDERR = 2
FLUSH_S = 0.5
"""How long the end of the process waits for a reader."""
LOST = "%d lines of the log were lost: nobody read them"


class LogHandler(logging.Handler):
    """Writes to `descriptor`, on a thread of its own."""

    def __init__(self, descriptor: int, form: Form, clock: Clock) -> None:
        super().__init__()
        self._form = form
        self._clock = clock
        self._limit = LogLimit()
        # Not the handler's own lock: `logging` holds that while it waits for `flush`.
        self._limiting = threading.Lock()
        self._outlet = Outlet(descriptor, self._on_idle, self._lost_line)

    def set_form(self, form: Form) -> None:
        """Write what comes from now on as `form` has it."""
        self._form = form

    @property
    def lost(self) -> int:
        """Lines that were thrown away because they could not be written."""
        return self._outlet.lost

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the record over; called by `logging`, under this handler's lock."""
        now_s = self._clock.monotonic_s()
        with self._limiting:
            lines = [self._line(summary) for summary in self._limit.take_summaries(now_s)]
            quiet = self._limit.due_s() is None
            admitted = self._limit.admits(record, now_s)
        for line in [*lines, self._line(record)] if admitted else lines:
            self._outlet.put(line)
        if quiet and not admitted:
            self._outlet.wake()

    def flush(self) -> None:
        """Wait until all is written, or for half a second."""
        self._outlet.flush(FLUSH_S)

    def close(self) -> None:
        """Write what is left, within half a second. Safe to call twice."""
        self._outlet.close(FLUSH_S)
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        try:
            text = self._form(record)
        except Exception as error:  # noqa: BLE001 - values that somebody logged may do anything
            text = f"an event of {record.name} cannot be shown: {type(error).__name__}"
        return f"{text}\n".encode(errors="backslashreplace")

    def _lost_line(self, count: int) -> bytes:
        return self._line(logging.LogRecord(__name__, logging.WARNING, "", 0, LOST, (count,), None))

    def _on_idle(self) -> tuple[list[bytes], float | None]:
        """The summaries that are due, and the seconds until the next."""
        with self._limiting:
            now_s = self._clock.monotonic_s()
            lines = [self._line(summary) for summary in self._limit.take_summaries(now_s)]
            due_s = self._limit.due_s()
        return lines, None if due_s is None else max(0.0, due_s - now_s)


class Log:
    """The log of this process: what it tells and how can be changed while it runs."""

    def __init__(self, handler: LogHandler, environ: Mapping[str, str], descriptor: int) -> None:
        self._handler = handler
        self._environ = environ
        self._descriptor = descriptor

    def set(self, level: str, form: str) -> None:
        """Obey the settings `log_level` and `log_format` from now on."""
        logging.getLogger().setLevel(level.upper())
        self._handler.set_form(form_of(form, self._environ, self._descriptor))

    def flush(self) -> None:
        """Wait until all is written, or for half a second."""
        self._handler.flush()

    @property
    def lost(self) -> int:
        """Lines that were thrown away because they could not be written."""
        return self._handler.lost


def set_up_log(
    level: str,
    form: str = "auto",
    environ: Mapping[str, str] | None = None,
    descriptor: int = STDERR,
    clock: Clock | None = None,
) -> Log:
    """Log to `descriptor` from now on, also what Python itself has to say of threads and warnings."""
    keep_standard_descriptors()
    variables = os.environ if environ is None else environ
    handler = LogHandler(descriptor, form_of(form, variables, descriptor), clock or SystemClock())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    # It reports every run of every job at INFO.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    threading.excepthook = _thread_failed
    sys.unraisablehook = _unraisable
    return Log(handler, variables, descriptor)


def keep_standard_descriptors() -> None:
    """Open /dev/null where stdin, stdout or stderr is closed.

    The next file or socket would get its number, and what a library prints would go into it.
    """
    for descriptor in range(STDERR + 1):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None and not isinstance(failure.exc_value, SystemExit):
        log.error("a thread has failed", exc_info=failure.exc_value, extra={"thread_name": _name(failure.thread)})


def _unraisable(failure: UnraisableHookArgs) -> None:
    if failure.exc_value is not None:
        log.error("unexpected, where nobody can be told", exc_info=failure.exc_value)


def _name(thread: threading.Thread | None) -> str:
    return thread.name if thread else ""
