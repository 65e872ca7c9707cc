"""How one event of the log is written. Foreign text cannot end its line: what is not printable is escaped."""

from __future__ import annotations

import json
import logging
import math
import os
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

Form = Callable[[logging.LogRecord], str]
"""An event as one line without its end; a traceback in text has indented lines of its own."""

MAX_CHARS = 4096
"""Of an event's message, and of a line of a traceback; nobody reads more, and it bounds the queue of lines."""
MAX_TRACE_LINES = 60
PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""From this level upwards this priority of syslog: sd-daemon(3)."""
DEBUG_PRIORITY = 7
STANDARD = frozenset((*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName", "color_message"))
"""What every record has; all else was added by whoever logged it."""


def form_of(name: str, environ: Mapping[str, str], descriptor: int) -> Form:
    """The form that the setting `log_format` means, where the log goes to `descriptor`."""
    if name == "json":
        return json_line
    if name == "auto" and is_journal(environ, descriptor):
        return journal_lines
    return text_lines


def is_journal(environ: Mapping[str, str], descriptor: int) -> bool:
    """True where systemd's journal reads `descriptor`: JOURNAL_STREAM in systemd.exec(5)."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def text_lines(record: logging.LogRecord) -> str:
    """For people: local time, level, logger, message."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
    first = f"{stamp},{int(record.msecs):03d} {record.levelname} {record.name}: {message(record)}"
    return "\n".join((first, *_trace(record)))


def journal_lines(record: logging.LogRecord) -> str:
    """For journald, which has the time itself and takes the priority from the front of each line."""
    mark = f"<{priority(record.levelno)}>"
    return "\n".join(mark + line for line in (f"{record.name}: {message(record)}", *_trace(record)))


def json_line(record: logging.LogRecord) -> str:
    """An object with time (RFC 3339), level, logger and message, what was logged besides, and the exception."""
    stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    extra = {key: _plain(value) for key, value in record.__dict__.items() if key not in STANDARD}
    facts = {
        **extra,
        "time": f"{stamp}Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": message(record),
    }
    if trace := _trace(record):
        facts["exception"] = "\n".join(trace)
    return json.dumps(facts)


def message(record: logging.LogRecord) -> str:
    """The message in one line; a mistake in the call that logged it costs the values only."""
    try:
        text = record.getMessage()
    except Exception:  # noqa: BLE001 - the objects to be shown may do anything
        text = f"{record.msg!s} (its values cannot be shown)"
    return escaped(text)


def escaped(text: str) -> str:
    """`text` in one printable line."""
    if len(text) > MAX_CHARS:
        text = f"{text[:MAX_CHARS]}..."
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def priority(level: int) -> int:
    """Syslog's priority of a level."""
    for least, number in PRIORITIES:
        if level >= least:
            return number
    return DEBUG_PRIORITY


def _trace(record: logging.LogRecord) -> list[str]:
    """The traceback, its lines indented so that none can be taken for an event."""
    if not record.exc_info or record.exc_info[1] is None:
        return []
    lines = "".join(traceback.format_exception(record.exc_info[1])).rstrip("\n").split("\n")
    if len(lines) > MAX_TRACE_LINES:
        half = MAX_TRACE_LINES // 2
        lines = [*lines[:half], "...", *lines[-half:]]
    return [f"    {escaped(line)}" for line in lines]


def _plain(value: object) -> str | int | float | None:
    """`value` as JSON has it; what it has not is told in words."""
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return escaped(str(value))
