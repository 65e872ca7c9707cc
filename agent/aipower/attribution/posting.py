"""What of one window goes to the ledger: its parts, and how far they may be off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from aipower.attribution.attribute import Parts
from aipower.attribution.doubts import Doubts
from aipower.attribution.leverage import Owner
from aipower.model import Attribution, EnergyDelta, JobKey, PartError, ProcessId

RunOf = Callable[[ProcessId], str]
JobOf = Callable[[ProcessId], JobKey | None]


def groups_of(processes: Iterable[ProcessId], run_of: RunOf, job_of: JobOf) -> dict[Owner, Sequence[ProcessId]]:
    """The runs and jobs that `processes` belong to, with those of them that do."""
    groups: dict[Owner, list[ProcessId]] = {}
    for process in processes:
        if run := run_of(process):
            groups.setdefault(run, []).append(process)
        if (job := job_of(process)) is not None:
            groups.setdefault(job, []).append(process)
    return {**groups}


class Posting(Struct, frozen=True, gc=False):
    """The parts of one window, the runs and jobs of those who got them, and the variances of all."""

    delta: EnergyDelta
    parts: Parts
    groups: Mapping[Owner, Sequence[ProcessId]]
    variances_uj2: Sequence[float]

    def told(self, doubts: Doubts) -> Attribution:
        """With what was not told yet of the errors that windows share."""
        parts, groups = self.parts, self.groups
        errors = list(map(PartError, self.variances_uj2, doubts.news_uj((*parts.processes, *groups))))
        run_errors: dict[str, PartError] = {}
        job_errors: dict[JobKey, PartError] = {}
        for owner, error in zip(groups, errors[len(parts.processes) :], strict=True):
            if isinstance(owner, str):
                run_errors[owner] = error
            elif isinstance(owner, tuple):
                job_errors[owner] = error
        own = dict(zip(parts.processes, errors, strict=False))
        return Attribution(
            self.delta, parts.idle_uj, parts.context_uj, parts.active_uj, parts.nobody_uj, own, run_errors, job_errors
        )
