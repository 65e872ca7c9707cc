"""What really was: the energies that the accounts of the agents had in the end, and what the story says was drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from aipower.model import SUMMED_KINDS, UJ_PER_J, Device, Owner, Snapshot
from fleet.plan import HOUR_S, HOURS, Work, work_j

K = TypeVar("K")
JobKey = tuple[str, str]
"""System and job."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one user's part of a job used of one device of a node, when last told, in joules."""

    instance: str
    owner: Owner
    user: str
    team: str
    name: str
    device: Device
    energy_j: float
    held_s: float
    unused_s: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The energies of the whole story in joules, of the kinds gpu, cpu and dram."""

    rows: tuple[Row, ...]
    """Of all jobs, those that have left too, and (system `none`) of processes in no job."""
    devices_j: Mapping[tuple[str, str], float]
    """By instance and device."""
    idle_j: Mapping[tuple[str, str], float]
    """By instance and device: the idle energy."""
    users_by_instance_j: Mapping[tuple[str, str], float]
    """By instance and user."""
    drawn_j: Mapping[JobKey, float]
    """By job, what the story says: watts times time, without any sensor or attribution."""
    tokens: Mapping[str, float]
    """Generated tokens by pod."""

    @property
    def jobs_j(self) -> dict[JobKey, float]:
        """By system and job, over all nodes; without what is in no job."""
        return self.by(lambda row: (row.owner.system, row.owner.job) if row.owner.job else None)

    @property
    def users_j(self) -> dict[str, float]:
        """By user, over all nodes."""
        found: dict[str, float] = defaultdict(float)
        for (_, user), energy_j in self.users_by_instance_j.items():
            found[user] += energy_j
        return dict(found)

    @property
    def teams_j(self) -> dict[str, float]:
        """By team, of the jobs that name one."""
        return self.by(lambda row: row.team or None)

    @property
    def nodes_j(self) -> dict[str, float]:
        """By instance."""
        found: dict[str, float] = defaultdict(float)
        for (instance, _), energy_j in self.devices_j.items():
            found[instance] += energy_j
        return dict(found)

    def by(self, key: Callable[[Row], K | None]) -> dict[K, float]:
        """The energies of `rows` summed by `key`; None leaves a row out."""
        found: dict[K, float] = defaultdict(float)
        for row in self.rows:
            if (name := key(row)) is not None:
                found[name] += row.energy_j
        return dict(found)


class TruthBook:
    """Collects the truth from the snapshots, one after the other."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, Owner, str, str], Row] = {}
        self._last: dict[str, Snapshot] = {}

    def note(self, instance: str, snapshot: Snapshot) -> None:
        """A later snapshot of a node: accounts only grow, and leave when they are done."""
        self._last[instance] = snapshot
        for job in snapshot.jobs:
            if job.device.kind in SUMMED_KINDS:
                self._rows[instance, job.owner, job.user, job.device.id] = Row(
                    instance, job.owner, job.user, job.facts.team, job.facts.name, job.device,
                    job.energy_uj / UJ_PER_J, job.held_s, job.unused_s,
                )  # fmt: skip

    def truth(self, works: Iterable[Work], tokens: Mapping[str, float]) -> Truth:
        """All of it, at the end."""
        devices, idle, users = {}, {}, defaultdict[tuple[str, str], float](float)
        for instance, snapshot in self._last.items():
            for state in snapshot.devices:
                devices[instance, state.device.id] = state.energy_uj / UJ_PER_J
                idle[instance, state.device.id] = state.idle_uj / UJ_PER_J
            for user in snapshot.users:
                users[instance, user.user] += user.energy_uj / UJ_PER_J
        return Truth(tuple(self._rows.values()), devices, idle, dict(users), _drawn(works), tokens)


def _drawn(works: Iterable[Work]) -> dict[JobKey, float]:
    found: dict[JobKey, float] = defaultdict(float)
    for work in works:
        for load in work.loads:
            drawn_j = work_j(load, work.begin_s, work.end_s, HOURS * HOUR_S)
            found[work.place.owner.system, work.place.owner.job] += drawn_j
    return {key: drawn_j for key, drawn_j in found.items() if key[1]}
