"""Whom the energy of each device belongs to, as samples: jobs, what is in no job, and the idle device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from aipower.model import UJ_PER_J, Device, JobEnergy, JobFacts, Owner, ProcessInfo, Snapshot
from aipower_exporters import metrics
from aipower_exporters.metrics import Sample

NOBODY = Owner("none")
IDLE = Owner("idle")

Key = tuple[Owner, str, Device]
"""Job, user and device."""
Words = tuple[str, ...]


def job_samples(snapshot: Snapshot) -> Iterator[Sample]:
    """All series of jobs. For each device their energies and what was folded sum to that of the device."""
    for (owner, user, device), energy_uj in _energies_uj(snapshot).items():
        yield metrics.JOB_ENERGY, _labels(owner, user, device), energy_uj / UJ_PER_J
    for folded in snapshot.folded_jobs:
        device = folded.device
        energy_uj = folded.context_uj + folded.active_uj
        yield metrics.JOB_FOLDED, (device.id, device.kind, device.index), energy_uj / UJ_PER_J
    for job in snapshot.jobs:
        yield from _details(job)
    yield from _infos(snapshot)


def _energies_uj(snapshot: Snapshot) -> dict[Key, int]:
    """What no job has, and no idle device, is what is unattributed and what processes outside of jobs have used."""
    found: dict[Key, int] = defaultdict(int)
    known_uj: dict[str, int] = defaultdict(int)
    for job in snapshot.jobs:
        found[job.owner, job.user, job.device] += job.energy_uj
        known_uj[job.device.id] += job.energy_uj
    for folded in snapshot.folded_jobs:
        known_uj[folded.device.id] += folded.context_uj + folded.active_uj
    for state in snapshot.devices:
        found[IDLE, "", state.device] = state.idle_uj
        found[NOBODY, "", state.device] += state.energy_uj - state.idle_uj - known_uj[state.device.id]
    return found


def _details(job: JobEnergy) -> Iterator[Sample]:
    if not job.owner.job:
        return
    labels = _labels(job.owner, job.user, job.device)
    yield metrics.JOB_ENERGY_ERROR, labels, job.error_uj / UJ_PER_J
    if job.device.kind == "gpu":
        yield metrics.JOB_HELD, labels, job.held_s
        yield metrics.JOB_UNUSED, labels, job.unused_s


def _infos(snapshot: Snapshot) -> Iterator[Sample]:
    """One series for each job and for each process: whoever joins on them must not find two."""
    said: dict[tuple[str, str], Words] = {}
    for job in snapshot.jobs:
        if job.owner.job:
            key = job.owner.system, job.owner.job
            said[key] = _first(said[key], _words(job.facts)) if key in said else _words(job.facts)
    for key, words in said.items():
        yield metrics.JOB_INFO, (*key, *words), 1.0
    known = dict.fromkeys((row.info, row.run) for row in snapshot.processes if row.info is not None)
    for info, run in known:
        yield metrics.PROCESS_INFO, _process(info, run), 1.0


def _words(facts: JobFacts) -> Words:
    return facts.name, facts.team, facts.account, facts.partition, facts.namespace, facts.pod


def _first(one: Words, other: Words) -> Words:
    """The words of two steps of a job; the first that is not empty stands."""
    return tuple(word or then for word, then in zip(one, other, strict=True))


def _process(info: ProcessInfo, run: str) -> tuple[str, ...]:
    place = info.place
    who = (str(info.id.pid), info.comm, info.user, run)
    return (*who, place.owner.system, place.owner.job, place.owner.step, place.container, place.unit, place.slice)


def _labels(owner: Owner, user: str, device: Device) -> tuple[str, ...]:
    return owner.system, owner.job, owner.step, user, device.id, device.kind, device.index
