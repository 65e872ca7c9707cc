"""The top of the page: what ran, where, when, how it ended, and what must be known before any figure is read."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from aipower.runrecord import RunRecord
from aipower_exporters.html.markup import Html, code, foreign, tag
from aipower_exporters.html.tables import facts
from aipower_exporters.html.wording import UNKNOWN, duration, moment, plural, size

SIGNALLED = 128
LONGEST = 120


def header(record: RunRecord) -> Html:
    """Name, command and circumstances."""
    command = shlex.join(record.command)
    title = title_of(record)
    shown = tag("p", code(command), class_="command") if command and command != title else None
    brand = tag("p", tag("span", "aipower", class_="brand"), " energy report", class_="eyebrow")
    return tag("header", brand, tag("h1", foreign(title)), shown, facts(_facts(record)), *_notices(record))


def title_of(record: RunRecord) -> str:
    """The run's name, else its command, of which a whole program may be a part."""
    title = record.name or shlex.join(record.command) or record.run_id
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"


def _facts(record: RunRecord) -> Iterable[tuple[str, Html | str]]:
    told = record.measured_by != "prometheus"  # metrics tell neither exit codes nor CPU time
    if told:
        yield "exit code", _exit(record.exit_code)
    yield "duration", duration(record.wall_s)
    if told:
        yield "CPU time", duration(record.cpu_time_s)
    yield "peak memory", size(record.max_rss_bytes) if record.max_rss_bytes > 0 else ""
    yield "host", foreign(record.host)
    yield "started", _started(record.started_unix_s)
    yield "run", code(record.run_id)
    yield "measured by", foreign(f"{record.measured_by}, aipower {record.version}")


def _exit(exit_code: int) -> Html:
    """With the signal in words: a run that was killed is not one that failed."""
    signal = f" (signal {exit_code - SIGNALLED})" if exit_code > SIGNALLED else ""
    return tag("span", f"{exit_code}{signal}", class_="badge bad" if exit_code else "badge good")


def _started(unix_s: float) -> Html | str:
    when = moment(unix_s)
    if when is None:
        return UNKNOWN
    return tag("time", f"{when:%Y-%m-%d %H:%M:%S} UTC", datetime=when.isoformat(timespec="seconds"))


def _notices(record: RunRecord) -> Iterable[Html]:
    if record.simulated:
        yield _notice("Simulated sensors: the figures on this page are no measurement.", "warning")
    if any(fault.reason == "hung" for fault in record.faults):
        yield _notice("A sensor hung: the figures end before the command did. See the faults below.", "warning")
    elif not record.complete:
        yield _notice("The figures do not cover the whole run.", "warning")
    if record.surviving_processes:
        who = plural(record.surviving_processes, "process")
        yield _notice(f"{who} of the run still ran when it ended, and counted up to then.", "note")


def _notice(text: str, style: str) -> Html:
    return tag("p", text, class_=f"notice {style}", role="note")
