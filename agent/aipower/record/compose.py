"""Puts a record together from what the supervisor saw and what the sensors said."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aipower import __version__
from aipower.record.books import Books, close_books
from aipower.record.estimate import Estimate, estimate_cpu
from aipower.record.extras import Extras
from aipower.record.measured import Measured, Told
from aipower.runrecord import Energies, Interval, Intervals, PerUnit, RunRecord

if TYPE_CHECKING:
    from aipower.record.phases.marks import Marks

WH_J = 3600.0


def compose(told: Told, measured: Measured) -> RunRecord:
    """The record of one run."""
    command = [printable(word) for word in told.command]
    books = close_books(measured, " ".join(command), told.cpu_s)
    wall_s = max(0.0, measured.ended_s - measured.started_s)
    cpu_s = max(told.cpu_s, measured.tree.total_cpu_s() if measured.tree else 0.0)
    guess = _guess(books, cpu_s, wall_s)
    done = _done(told, measured)
    record = RunRecord(
        run_id=told.run_id,
        name=printable(told.name),
        command=command,
        exit_code=told.exit_code,
        started_unix_s=told.started_unix_s,
        wall_s=wall_s,
        host=printable(os.uname().nodename),
        energy_j=books.energy_j,
        interval_j=books.interval_j,
        repeatable_interval_j=books.repeatable_interval_j,
        estimated_j=Energies(guess.energy_j, cpu=guess.energy_j) if guess else Energies(),
        estimated_interval_j=Intervals(_span(guess), cpu=_span(guess)) if guess else Intervals(),
        devices=books.devices,
        processes=books.processes,
        indistinct=books.indistinct,
        faults=books.faults,
        not_measured=books.not_measured,
        cpu_time_s=cpu_s,
        max_rss_bytes=told.max_rss_bytes,
        surviving_processes=told.survivors,
        complete=measured.complete and books.covered,
        simulated=books.simulated,
        version=__version__,
        measured_by=told.measured_by,
        phases=books.phases,
        power=measured.story.timeline.series() if measured.story else [],
        metrics={**_told(measured).metrics, **told.extras.metrics},
        work=done,
        per=_per(done, books),
        job=told.extras.job,
        series=told.extras.series,
    )
    return _with_footprint(record, told.extras.footprint)


def _with_footprint(record: RunRecord, words: Sequence[str]) -> RunRecord:
    """Cost and carbon as configured, and what takes as much: of a watt-hour and more, less is nothing to imagine."""
    if not words and (record.energy_j.total or 0.0) < WH_J:
        return record
    from aipower.footprint.apply import with_footprint  # noqa: PLC0415 - a short run pays for no more than it shows
    from aipower.footprint.settings import Footprint, from_words  # noqa: PLC0415 - as above

    return with_footprint(record, from_words(words) if words else Footprint())


def _told(measured: Measured) -> Marks | Extras:
    """What the run's programs have told of work and results; nothing where they have told nothing."""
    story = measured.story
    return story.marks if story and story.has_marks else Extras()


def _done(told: Told, measured: Measured) -> dict[str, float]:
    """The work by unit; what the command line says of a unit holds, as its writer has seen what the program tells."""
    logged = _told(measured).work
    return {unit: amount for unit, amount in {**logged, **told.extras.work}.items() if amount > 0}


def _per(done: Mapping[str, float], books: Books) -> list[PerUnit]:
    """Energy per unit of work; of nothing where no energy is known."""
    total_j, interval_j, repeatable_j = books.energy_j.total, books.interval_j.total, books.repeatable_interval_j.total
    if total_j is None or interval_j is None or repeatable_j is None:
        return []
    return [
        PerUnit(unit, amount, total_j / amount, _over(interval_j, amount), _over(repeatable_j, amount))
        for unit, amount in done.items()
    ]


def _over(interval_j: Interval, amount: float) -> Interval:
    return interval_j[0] / amount, interval_j[1] / amount


def new_run_id(started_unix_s: float) -> str:
    """Sorts by time and is unique: UTC to the second, and 32 random bits."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(started_unix_s))}-{os.urandom(4).hex()}"


def printable(word: str) -> str:
    """A word of the command line as valid Unicode: arguments may be any bytes."""
    return os.fsencode(word).decode(errors="replace")


def _guess(books: Books, cpu_s: float, wall_s: float) -> Estimate | None:
    """The model's word for the CPU, only where no sensor had one."""
    if books.energy_j.cpu is not None:
        return None
    return estimate_cpu(cpu_s, os.cpu_count() or 1, wall_s)


def _span(guess: Estimate) -> tuple[float, float]:
    return guess.low_j, guess.high_j
