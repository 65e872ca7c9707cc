"""Snapshots that are made when somebody looks: a draft is taken each second, and most are never looked at.

What a draft holds is frozen when it is taken. Errors, square roots and rows come when it is looked at, on the thread
of whoever looks; the sampler waits for nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.model import (
    Device,
    JobEnergy,
    JobFacts,
    JobKey,
    PartError,
    ProcessEnergy,
    ProcessInfo,
    SinkState,
    Snapshot,
    Unavailable,
)


class PartDraft(Struct, gc=False):
    """The sums of one part as they were when the draft was taken."""

    device: Device
    half_width: Callable[[int, float, float], float]
    """Half-width of the 95 % interval of an energy, its variance and its systematic error, as `HalfWidth` has it."""
    context_uj: int
    active_uj: int
    variance_uj2: float
    systematic_uj: float

    @property
    def half_width_uj(self) -> float:
        """Half-width of the 95 % interval in microjoules."""
        return self.half_width(self.context_uj + self.active_uj, self.variance_uj2, self.systematic_uj)

    @property
    def error(self) -> PartError:
        """How far it may be off beside the scale of the sensor."""
        return PartError(self.variance_uj2, self.systematic_uj)


class ProcessDraft(PartDraft, gc=False):
    """One row of a process, or of `other`. Drafts share it for as long as nothing in it changes."""

    info: ProcessInfo | None
    run: str
    ended_s: float | None
    since_unix_s: float | None
    made: ProcessEnergy | None = None

    def row(self) -> ProcessEnergy:
        """The finished row. Two threads may both make it: what they make is equal."""
        row = self.made
        if row is None:
            row = self.made = ProcessEnergy(
                self.info,
                self.run,
                self.device,
                self.context_uj,
                self.active_uj,
                self.half_width_uj,
                self.ended_s,
                self.error,
                self.since_unix_s,
            )
        return row


class JobDraft(PartDraft, gc=False):
    """One row of a job, as `ProcessDraft`."""

    key: JobKey
    held_s: float
    unused_s: float
    facts: JobFacts
    ended_s: float | None
    since_unix_s: float | None
    made: JobEnergy | None = None

    def row(self) -> JobEnergy:
        """The finished row."""
        row = self.made
        if row is None:
            row = self.made = JobEnergy(
                *self.key,
                self.device,
                self.context_uj + self.active_uj,
                self.half_width_uj,
                self.held_s,
                self.unused_s,
                self.facts,
                self.ended_s,
                self.error,
                self.since_unix_s,
            )
        return row


class Draft:
    """A snapshot before it is made. Any thread may ask for it; it is the same object each time."""

    def __init__(self, bare: Snapshot, processes: Sequence[ProcessDraft] = (), jobs: Sequence[JobDraft] = ()) -> None:
        """`bare` is all of the snapshot but the rows of `processes` and `jobs`."""
        self._bare = bare
        self._processes = processes
        self._jobs = jobs
        self._made: Snapshot | None = None
        self._making = threading.Lock()

    @property
    def number(self) -> int:
        """That of the snapshot."""
        return self._bare.number

    def beside(self, unavailable: Sequence[Unavailable], sinks: Sequence[SinkState]) -> Draft:
        """The same with what other parts of the agent have to say."""
        bare = replace(self._bare, unavailable=tuple(unavailable), sinks=tuple(sinks))
        return Draft(bare, self._processes, self._jobs)

    def snapshot(self) -> Snapshot:
        """The snapshot; it is made at the first call."""
        with self._making:
            if self._made is None:
                processes = tuple([draft.row() for draft in self._processes])
                jobs = tuple([draft.row() for draft in self._jobs])
                self._made = replace(self._bare, processes=processes, jobs=jobs)
            return self._made
