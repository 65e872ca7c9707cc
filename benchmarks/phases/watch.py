"""Drives meter and story through a case of phases, and asks the record's rows what each phase has used."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from aipower.model import UJ_PER_J
from aipower.processes.procfs import StatRow
from aipower.record.books import sums_of
from aipower.record.device_rows import Span
from aipower.record.measured import RUN
from aipower.record.phases.rows import phase_rows
from aipower.record.runmeter import SETTLE_S
from aipower.record.story import Story
from aipower.runrecord import PhaseRecord
from benchmarks.accuracy.case import Case
from benchmarks.accuracy.estimates import METHOD, Estimate, Outcome
from benchmarks.accuracy.pipeline import Watch
from benchmarks.phases.program import Path

PARENT = 1 << 22
"""The pid of whoever has started the run."""
ON_THE_WAY_S = 0.05
"""Messages are heard so much later, at most."""


@dataclass(frozen=True, slots=True)
class PhaseCase:
    """A case of the accuracy suite, and what its programs tell."""

    case: Case
    lines: Sequence[tuple[float, bytes]]
    truths_j: Mapping[Path, float]
    subjects: Mapping[Path, str]
    """What a phase is called in the table; those that are not in it are not judged."""


class PhaseWatch(Watch):
    """A run whose programs tell of phases."""

    def __init__(self, told: PhaseCase, rng: random.Random) -> None:
        super().__init__(told.case, rng)
        self._delays = rng
        self._lines = list(told.lines)
        self._next = 0
        self.story = Story(lambda who: bool(told.case.run_of(who, RUN)))
        self.story.meet(_row(process.pid) for process in told.case.names)
        self.meter.tell(self.story)

    def run(self) -> None:
        """As aipower-run, which closes the story between the last window and the settled account."""
        start_s, end_s = self.case.start_s, self.case.end_s
        self.meter.sample()
        self.meter.prime()
        self._wait_until(start_s)
        self.story.start(start_s)
        for channel in self.meter.channels:
            channel.open(start_s)
        self._read_until_end(start_s, end_s)
        self.story.end(end_s)
        for channel in self.meter.channels:
            channel.end(end_s)
        self.meter.sample()
        self._hear(end_s)
        self._settle(end_s, end_s + SETTLE_S)
        for channel in self.meter.channels:
            channel.close(end_s)
        self.meter.attribute()
        self.story.close()
        self.meter.settle()

    def rows(self) -> list[PhaseRecord]:
        """The rows of the record."""
        span = Span(self.case.end_s - self.case.start_s, 0.0, 1)
        return phase_rows(self.story.marks, self.story.phases, self.meter.channels, self.ledger, span)

    def _pause(self, seconds: float) -> None:
        super()._pause(seconds)
        self._hear(self._clock.now_s - self._delays.random() * ON_THE_WAY_S)

    def _hear(self, until_s: float) -> None:
        first = self._next
        while self._next < len(self._lines) and self._lines[self._next][0] <= until_s:
            self._next += 1
        self.story.feed(b"".join(line for _, line in self._lines[first : self._next]))


def _row(pid: int) -> StatRow:
    """A process whose parent is none of the run's."""
    return StatRow(pid, PARENT, "", "S", 0, 0, 0, 0, 1, 0, 0)


def watch(name: str, number: int, told: PhaseCase, rng: random.Random) -> Outcome:
    """What came of one run."""
    watched = PhaseWatch(told, rng)
    watched.run()
    rows = watched.rows()
    found = (*_estimates(told, rows), *_run(told, watched))
    return Outcome(name, number, found, tuple(_broken(watched, rows)))


def _estimates(told: PhaseCase, rows: Iterable[PhaseRecord]) -> Iterator[Estimate]:
    for row in rows:
        subject, found_j = told.subjects.get(tuple(row.path)), row.energy_j.total
        if subject is not None and found_j is not None:
            yield Estimate(
                METHOD,
                subject,
                told.truths_j.get(tuple(row.path), 0.0),
                found_j,
                row.interval_j.total,
                row.repeatable_interval_j.total,
                flagged=not row.resolved,
            )


def _run(told: PhaseCase, watched: PhaseWatch) -> Iterator[Estimate]:
    """The run as a whole, for comparison: what is wrong with that is wrong with its phases, too."""
    span = Span(told.case.end_s - told.case.start_s, 0.0, 1)
    share = sums_of(watched.meter.channels, watched.ledger, span).get("total")
    if share:
        true_j = sum(joules for path, joules in told.truths_j.items() if len(path) <= 1)
        yield Estimate(METHOD, "(run)", true_j, share.own.energy_j, share.absolute_j, share.repeatable_j)


def _broken(watched: PhaseWatch, rows: Sequence[PhaseRecord]) -> Iterator[str]:
    """Phases with one word and the one with none sum to the run, and the timeline to the device."""
    for fault in watched.meter.fault_records():
        if fault.reason == "internal":
            yield f"internal: {fault.detail}"
    totals_j = watched.story.timeline.totals_j()
    for channel in watched.meter.channels:
        device = channel.sensor.device.id
        run_uj = watched.ledger.run_part(RUN, device).energy_uj
        top_uj = sum(
            part.own_uj for (id_, path), part in watched.story.phases.parts.items() if id_ == device and len(path) <= 1
        )
        if top_uj != run_uj:
            yield f"{device}: phases {top_uj} uJ of {run_uj} uJ"
        whole_j = watched.ledger.totals(device).energy_uj / UJ_PER_J
        if abs(totals_j.get(device, 0.0) - whole_j) > 1e-6 * max(1.0, whole_j):
            yield f"{device}: timeline {totals_j.get(device)} J of {whole_j} J"
    for row in rows:
        low_j, high_j = row.interval_j.total or (0.0, 0.0)
        if not low_j - 1e-9 <= (row.energy_j.total or 0.0) <= high_j + 1e-9:
            yield f"{row.path}: {row.energy_j.total} J outside of {row.interval_j.total}"
