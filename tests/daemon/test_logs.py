"""The log through real pipes: one event is one line, and a reader that is slow, gone or never there harms nobody."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.daemon.log.logformat import escaped, form_of, journal_lines, json_line, text_lines
from aipower.daemon.log.loglimit import BURST, MAX_KINDS, WINDOW_S, LogLimit
from aipower.daemon.log.logs import LogHandler
from aipower.daemon.log.outlet import MAX_WAITING
from aipower.seams import SystemClock
from fakes import FakeClock

LIMIT_S = 60.0
ANYTHING = st.text(alphabet=st.characters())


def event(text: str, *values: object, level: int = logging.INFO, error: Exception | None = None) -> logging.LogRecord:
    trace = (type(error), error, None) if error else None
    return logging.LogRecord("aipower.test", level, "", 0, text, values, trace)


# --- forms ---


@given(ANYTHING)
def test_an_event_is_one_line_whatever_is_in_it(text: str) -> None:
    record = event("read %s", text)
    for form in (text_lines, journal_lines, json_line):
        line = form(record)
        assert len(line.splitlines()) == 1
        assert line.encode()
    assert json.loads(json_line(record))["message"] == f"read {escaped(text)}"


def test_what_foreign_text_cannot_do() -> None:
    assert escaped("a\nb\r\x1b[31m\u202e\u2028\udc80") == "a\\nb\\r\\x1b[31m\\u202e\\u2028\\udc80"
    assert len(escaped("x" * 100_000)) < 5000


def test_a_line_of_json_has_the_time_the_level_and_what_was_logged_besides() -> None:
    record = event("lost %s", "GPU-0", level=logging.WARNING, error=OSError("no\nsuch"))
    record.created = 1_700_000_000.25
    record.__dict__.update(device="GPU-0", watts=float("nan"), logger="mine", thing=Path("/x"))
    facts = json.loads(json_line(record))
    assert facts.pop("exception").endswith("OSError: no\n    such")
    assert facts == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "warning",
        "logger": "aipower.test",
        "message": "lost GPU-0",
        "device": "GPU-0",
        "watts": "nan",
        "thing": "/x",
    }


def test_a_traceback_cannot_be_taken_for_events() -> None:
    record = event("failed", level=logging.ERROR, error=ValueError("x\n2026-01-01 00:00:00,000 INFO root: forged"))
    first, *rest = text_lines(record).splitlines()
    assert first.endswith(" ERROR aipower.test: failed")
    assert rest[-1] == "    2026-01-01 00:00:00,000 INFO root: forged"
    assert all(line.startswith("    ") for line in rest)
    assert all(line.startswith("<3>") for line in journal_lines(record).splitlines())


@pytest.mark.parametrize(
    ("level", "mark"), [("DEBUG", "<7>"), ("INFO", "<6>"), ("WARNING", "<4>"), ("ERROR", "<3>"), ("CRITICAL", "<2>")]
)
def test_journald_gets_the_priority(level: str, mark: str) -> None:
    assert journal_lines(event("hello", level=logging.getLevelName(level))) == f"{mark}aipower.test: hello"


def test_auto_is_for_the_journal_only_where_it_reads(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        status = os.fstat(file.fileno())
        stream = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert form_of("auto", stream, file.fileno()) is journal_lines
        assert form_of("text", stream, file.fileno()) is text_lines
        assert form_of("json", stream, file.fileno()) is json_line
        # A job that a service has started with its output sent elsewhere.
        assert form_of("auto", {"JOURNAL_STREAM": "1:2"}, file.fileno()) is text_lines
    assert form_of("auto", stream, 12345) is text_lines


# --- the limit ---


def test_what_repeats_itself_is_counted() -> None:
    limit = LogLimit()
    shown = sum(limit.admits(event("lost %s", number), float(number) / 10) for number in range(133))
    assert shown == BURST
    assert limit.due_s() == WINDOW_S
    assert limit.take_summaries(WINDOW_S - 0.1) == []
    (summary,) = limit.take_summaries(WINDOW_S)
    assert summary.getMessage() == "123 more like this in the last minute: lost %s"
    assert limit.due_s() is None
    assert limit.admits(event("lost %s", 1), WINDOW_S + 1)


def test_messages_that_are_new_each_time_cost_no_memory_and_no_disk() -> None:
    limit = LogLimit()
    shown = sum(limit.admits(event(f"lost {number}"), 1.0) for number in range(100_000))
    assert shown <= MAX_KINDS + BURST
    assert len(limit._windows) <= MAX_KINDS + 1
    assert limit.admits(event("something else"), 1.0) is False
    limit.take_summaries(1.0 + WINDOW_S)
    assert limit.admits(event("something else"), 2.0 + WINDOW_S)


# --- pipes ---


@contextmanager
def piped(clock: FakeClock | None = None) -> Iterator[tuple[int, LogHandler]]:
    """The reading end of a pipe and a handler that writes into it."""
    reader, writer = os.pipe()
    handler = LogHandler(writer, text_lines, clock or SystemClock())
    try:
        yield reader, handler
    finally:
        os.close(reader)
        handler.close()
        os.close(writer)


def read_lines(reader: int, enough: Callable[[list[str]], bool]) -> list[str]:
    content = b""
    while not enough(lines := content.decode().splitlines()):
        content += os.read(reader, 65536)
    return lines


def told(lines: list[str]) -> int:
    """How many lines were lost, as the lines say."""
    return sum(int(found[1]) for line in lines if (found := re.search(r"(\d+) lines of the log were lost", line)))


def test_a_reader_that_has_stopped_reading_holds_up_nobody_and_hears_what_it_missed() -> None:
    with piped() as (reader, handler):
        began_s = time.monotonic()
        for number in range(4 * MAX_WAITING):
            handler.handle(event(f"{number} {'x' * 2000}"))
            handler._limit = LogLimit()
        assert time.monotonic() - began_s < LIMIT_S / 2
        assert handler.lost > MAX_WAITING
        lines = read_lines(reader, lambda lines: told(lines) == handler.lost)
        assert lines[0].partition("aipower.test: ")[2].startswith("0 xxx")
        handler.handle(event("here again"))
        read_lines(reader, lambda lines: any("here again" in line for line in lines))


def test_a_reader_that_is_gone_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    handler = LogHandler(writer, text_lines, SystemClock())
    for _ in range(3):
        handler.handle(event("nobody hears this"))
    handler.flush()
    assert handler.lost == 3
    handler.close()
    handler.close()
    os.close(writer)


def test_values_that_cannot_be_shown_cost_their_line_only() -> None:
    class Hostile:
        def __str__(self) -> str:
            raise ZeroDivisionError

    with piped() as (reader, handler):
        handler.handle(event("one %s", Hostile()))
        handler.handle(event("two %d", "words"))
        handler.handle(event("three"))
        lines = read_lines(reader, lambda lines: len(lines) == 3)
        assert [line.partition("aipower.test: ")[2] for line in lines] == [
            "one %s (its values cannot be shown)",
            "two %d (its values cannot be shown)",
            "three",
        ]


def test_the_count_of_what_was_left_out_comes_by_itself() -> None:
    """Nobody logs anything after it; the minute is over because the test's clock says so."""
    clock = FakeClock()
    with piped(clock=clock) as (reader, handler):
        for _ in range(BURST + 5):
            handler.handle(event("again"))
        read_lines(reader, lambda lines: len(lines) == BURST)
        clock.now_s = WINDOW_S
        handler._outlet.wake()
        (line,) = read_lines(reader, lambda lines: len(lines) == 1)
        assert line.endswith("5 more like this in the last minute: again")


# --- the process ---

TALK = """
import logging, os, sys, threading, time, warnings
from aipower.daemon.log.logs import set_up_log
log = set_up_log("info", sys.argv[1])
logging.getLogger("a").info("first")
warnings.warn("old", stacklevel=1)
thread = threading.Thread(target=lambda: 1 / 0, name="worker"); thread.start(); thread.join()
logging.getLogger("a").debug("not shown")
log.set("debug", "text")
logging.getLogger("a").debug("shown")
for number in range(int(sys.argv[2])):
    logging.getLogger("a").info("%s " + "x" * 3000 + str(number), number)
print("survived", flush=True)
"""


def talk(form: str, count: int, stderr: int) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-W", "default", "-c", TALK, form, str(count)]
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=LIMIT_S, check=False)


def test_all_that_a_process_has_to_say_is_in_its_log() -> None:
    done = talk("json", 0, subprocess.PIPE)
    assert (done.returncode, done.stdout) == (0, "survived\n")
    *objects, last = done.stderr.splitlines()
    first, warning, failure = map(json.loads, objects)
    assert first["message"] == "first"
    assert warning["logger"] == "py.warnings"
    assert failure["thread_name"] == "worker"
    assert "ZeroDivisionError" in failure["exception"]
    assert last.endswith("DEBUG a: shown")


def test_a_process_ends_although_nobody_reads_its_log() -> None:
    reader, writer = os.pipe()
    try:
        done = talk("text", 2000, writer)
    finally:
        os.close(reader)
        os.close(writer)
    assert (done.returncode, done.stdout) == (0, "survived\n")


def test_a_process_without_stderr_writes_its_log_into_nothing_else(tmp_path: Path) -> None:
    """The first file that it opens would else get the number of stderr."""
    code = (
        "import sys; from aipower.daemon.log.logs import set_up_log; import logging\n"
        "set_up_log('info'); file = open(sys.argv[1], 'w')\n"
        "logging.error('into the file'); logging.shutdown(); file.write('data'); file.close()"
    )
    path = tmp_path / "data"
    shell = 'exec "$0" -c "$1" "$2" 2>&- >&- <&-'
    done = subprocess.run(["sh", "-c", shell, sys.executable, code, str(path)], timeout=LIMIT_S, check=False)
    assert done.returncode == 0
    assert path.read_text() == "data"
