"""A run that is measured by its own wrapper."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aipower.record.compose import compose, new_run_id
from aipower.record.extras import Words, extras_of
from aipower.record.measured import Told, Trouble
from aipower.run.books import Books
from aipower.run.measure import Measurement
from aipower.runrecord import RunRecord, to_json
from aipower.seams import SystemClock
from aipower.sensors.select import parse_selection

if TYPE_CHECKING:
    from aipower.run.ear import Ear
    from aipower.run.options import RunOptions
    from aipower.run.supervise import Outcome
    from aipower.run.wire import Field

WORDS = Words.__struct_fields__
PAGE = ("columns", "color", "glyphs", "saved", "verbose")
"""Of aipower.record.page.Page."""


class MeasuredHere:
    """A measurement, and the books that are made of it. `run_id` is that of an agent which began it, if one did."""

    def __init__(self, options: RunOptions, run_id: str = "") -> None:
        self._options = options
        self.run_id = run_id or new_run_id(time.time())
        self._measurement = Measurement(
            parse_selection(options.sensors), options.interval_s, SystemClock(), os.environ
        )

    @property
    def calibration_problem(self) -> str:
        """Why the sensors' calibrations are left out, in one line; empty where they are not."""
        return self._measurement.calibration_problem

    def begin(self, asked_to_stop: Callable[[], bool], tell: Callable[[], None]) -> None:
        """See `Measurement.begin`."""
        self._measurement.begin(asked_to_stop, tell)

    def listen(self, ear: Ear) -> None:
        """Hear by `ear` what the command's programs tell of their phases."""
        self._measurement.listen(ear.read)

    def hear(self, hear: Callable[[], bytes]) -> None:
        """As `listen`; `hear` gives what was told since it was last called."""
        self._measurement.listen(hear)

    def spawned(self, pid: int, started_s: float, helpers: frozenset[int]) -> None:
        """The command has begun."""
        self._measurement.spawned(pid, started_s, helpers)

    def join(self, pid: int, started_s: float, helpers: frozenset[int]) -> None:
        """The command has begun a while ago and is measured from now on."""
        self._measurement.begin(lambda: False, lambda: None)
        self._measurement.joined(pid, started_s, helpers)

    def attach(self, pid: int) -> None:
        """The process `pid` runs already; it and all below it are measured from now on."""
        self._measurement.attached(pid, time.monotonic())

    def never(self, started_s: float, ended_s: float) -> None:
        """The command has run, and nothing of it was measured."""
        self._measurement.missed(started_s, ended_s)

    def goes_on(self) -> None:
        """The command is no short one; there is a thread for it already."""

    def trouble(self, reason: str, detail: str, at_s: float) -> None:
        """Something that the record tells, `at_s` seconds after the start."""
        self._measurement.trouble(Trouble(reason, detail, at_s))

    def ended(self, at_s: float) -> None:
        """The command has ended."""
        self._measurement.ended(at_s)

    def live(self) -> list[tuple[str, float | None, float]]:
        """Of each device what it draws now, in watts, and what it has used so far, in joules."""
        return self._measurement.live()

    def books(self, outcome: Outcome, started_unix_s: float, words: Mapping[str, Field], *, record: bool) -> Books:
        """Record and report, as far as they were asked for."""
        told = Told(
            self.run_id,
            tuple(self._options.command),
            self._options.name,
            outcome.exit_code,
            started_unix_s,
            outcome.cpu_s,
            outcome.max_rss_bytes,
            outcome.survivors,
            extras=extras_of(Words(**{name: words[name] for name in WORDS if name in words})),  # type: ignore[arg-type]  # run.asked gave each its type
        )
        made = compose(told, self._measurement.result())
        report = "" if self._options.quiet else _rendered(made, words)
        return Books(to_json(made) if record else b"", report)


def _rendered(record: RunRecord, words: Mapping[str, Field]) -> str:
    from aipower.record.page import Page  # noqa: PLC0415 - a run without a report need not pay for it
    from aipower.record.report import render  # noqa: PLC0415 - as above

    return render(record, Page(**{name: words[name] for name in PAGE if name in words}))  # type: ignore[arg-type]  # as above
