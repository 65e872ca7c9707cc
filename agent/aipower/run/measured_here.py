"""A run that is measured by its own wrapper."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from aipower.record.compose import compose, new_run_id
from aipower.record.measured import Told, Trouble
from aipower.record.report import render
from aipower.run.books import Books
from aipower.run.measure import Measurement
from aipower.runrecord import to_json
from aipower.seams import SystemClock
from aipower.sensors.select import parse_selection

if TYPE_CHECKING:
    from aipower.run.options import RunOptions
    from aipower.run.supervise import Outcome


class MeasuredHere:
    """A measurement, and the books that are made of it. `run_id` is that of an agent which began it, if one did."""

    def __init__(self, options: RunOptions, run_id: str = "") -> None:
        self._options = options
        self._run_id = run_id
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

    def spawned(self, pid: int, started_s: float, helpers: frozenset[int]) -> None:
        """The command has begun."""
        self._measurement.spawned(pid, started_s, helpers)

    def join(self, pid: int, started_s: float, helpers: frozenset[int]) -> None:
        """The command has begun a while ago and is measured from now on."""
        self._measurement.begin(lambda: False, lambda: None)
        self._measurement.joined(pid, started_s, helpers)

    def never(self, started_s: float, ended_s: float) -> None:
        """The command has run, and nothing of it was measured."""
        self._measurement.missed(started_s, ended_s)

    def trouble(self, reason: str, detail: str, at_s: float) -> None:
        """Something that the record tells, `at_s` seconds after the start."""
        self._measurement.trouble(Trouble(reason, detail, at_s))

    def ended(self, at_s: float) -> None:
        """The command has ended."""
        self._measurement.ended(at_s)

    def books(self, outcome: Outcome, started_unix_s: float) -> Books:
        """Record and report, as far as they were asked for."""
        told = Told(
            self._run_id or new_run_id(started_unix_s),
            tuple(self._options.command),
            self._options.name,
            outcome.exit_code,
            started_unix_s,
            outcome.cpu_s,
            outcome.max_rss_bytes,
            outcome.survivors,
        )
        record = compose(told, self._measurement.result())
        report = "" if self._options.quiet else render(record, verbose=self._options.verbose)
        return Books(to_json(record) if self._options.json is not None else b"", report)
