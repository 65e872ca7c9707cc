"""Small worlds of which the truth is known: who worked when, what they drew, and what a sampler would say of it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aipower.attribution.apportion import Apportioner
from aipower.attribution.baseline import GpuBaseline
from aipower.attribution.choose import apportioner_of
from aipower.attribution.columns import Columns, NameOf
from aipower.attribution.designs import Gpu
from aipower.attribution.evidence import Solution
from aipower.attribution.rows import Row
from aipower.attribution.samples import Covariance
from aipower.attribution.window import Window
from aipower.attribution.window import window_of as made
from aipower.attribution.work import Work, work_of
from aipower.model import UJ_PER_J, Attribution, Device, EnergyDelta, PartError, ProcessId, Usage
from fakes import GPU, process

LOOKS_PER_S = 6
"""Looks of a GPU's driver at its engines."""
Z_95 = 1.96


def name_of(who: ProcessId) -> str:
    """Each pid runs a program of its own."""
    return f"program {who.pid}"


def alone(_: ProcessId) -> str:
    """No process belongs to a run."""
    return ""


def apportioner(keep: int = 0, device: Device = GPU) -> Apportioner:
    """Of a device whose processes belong to no run."""
    return apportioner_of(device, name_of, alone, keep)


def gpu_with(baseline: GpuBaseline, names: NameOf = name_of, keep: int = 0) -> Apportioner:
    """Of a GPU of which something is known."""
    return Apportioner(Gpu(baseline), names, alone, keep)


def worked(usage: Usage, names: NameOf = name_of) -> Work:
    """The work of a window whose energy is of the same span."""
    return work_of(usage, Columns(names).of(usage), usage.end_s - usage.start_s)


def window_of(usage: Usage, work: Work, covariance_s2: Covariance | None, energy_j: float) -> Window:
    """A window whose energy is all that of work."""
    delta = EnergyDelta(GPU, usage.start_s, usage.end_s, round(energy_j * UJ_PER_J))
    return made(delta, usage, work, covariance_s2)


def shown_w2(solution: Solution, one: str, other: str) -> float:
    """Covariance of two columns' intensities; 0 where there is no evidence of one."""
    i, j = solution.place.get(one), solution.place.get(other)
    return 0.0 if i is None or j is None else solution.covariance_w2[i][j]


def row_of(seconds: Mapping[str, float], energy_j: float, covariance_s2: Covariance | None = None) -> Row:
    """A window of which all columns were seen."""
    return Row(tuple(seconds), tuple(seconds.values()), energy_j, covariance_s2, len(seconds))


def by_busy_time(usage: Usage) -> dict[ProcessId | None, float]:
    """The weights that busy time alone gives."""
    weights: dict[ProcessId | None, float] = dict(usage.busy_s.items())
    return {**weights, None: usage.unknown_busy_s} if usage.unknown_busy_s > 0 else weights


def delta_of(watts: float, at_s: float = 0.0, device: Device = GPU, span_s: float = 1.0) -> EnergyDelta:
    """A window of `watts`."""
    return EnergyDelta(device, at_s, at_s + span_s, round(watts * span_s * UJ_PER_J))


@dataclass(frozen=True, slots=True)
class Phase:
    """Its members take turns on the engine, too fast for anyone to see."""

    start_s: float
    end_s: float
    members: Sequence[ProcessId]


@dataclass(frozen=True, slots=True)
class World:
    """Processes that share a GPU, in phases."""

    watts: Mapping[ProcessId, float]
    phases: Sequence[Phase]

    def seconds(self, start_s: float, end_s: float) -> dict[ProcessId, float]:
        """Seconds of work of each process."""
        found = dict.fromkeys(self.watts, 0.0)
        for phase in self.phases:
            span_s = max(0.0, min(end_s, phase.end_s) - max(start_s, phase.start_s))
            for who in phase.members:
                found[who] += span_s / len(phase.members)
        return found

    def joules(self, start_s: float, end_s: float) -> dict[ProcessId, float]:
        """Energy of work of each process."""
        return {who: self.watts[who] * seconds for who, seconds in self.seconds(start_s, end_s).items()}

    def sampled(self, start_s: float, end_s: float, rng: random.Random) -> Usage:
        """What a driver says that looks a few times a second and notes one process."""
        looks = round(LOOKS_PER_S * (end_s - start_s))
        each_s = (end_s - start_s) / looks
        busy_s: dict[ProcessId, float] = {}
        for number in range(looks):
            at_s = start_s + (number + rng.random()) * each_s
            for phase in self.phases:
                if phase.start_s <= at_s < phase.end_s and phase.members:
                    seen = rng.choice(phase.members)
                    busy_s[seen] = busy_s.get(seen, 0.0) + each_s
        return Usage(start_s, end_s, busy_s, holders=frozenset(self.watts), samples=float(looks))


def pair_world(rng: random.Random, kinds: Sequence[Sequence[int]], seconds: float) -> World:
    """About 350 W beside 150 W; `kinds` are the members (0, 1) of phases of random lengths and order."""
    pair = (process(1), process(2))
    watts = dict(zip(pair, (350 * rng.uniform(0.9, 1.1), 150 * rng.uniform(0.9, 1.1)), strict=True))
    parts = [rng.uniform(0.5, 1.5) for _ in kinds]
    edges = [seconds * sum(parts[:k]) / sum(parts) for k in range(len(parts))] + [seconds]
    members = [[pair[k] for k in kind] for kind in rng.sample(list(kinds), len(kinds))]
    return World(watts, [Phase(edges[k], edges[k + 1], who) for k, who in enumerate(members)])


SOLO_AND_BOTH = ([0], [1], [0, 1], [0, 1]) * 2


def teach_idle(gpu: Apportioner, idle_w: float) -> list[Attribution]:
    """Windows in which nobody holds the device: afterwards its idle level is known."""
    return [found for k in range(-4, 0) for found in gpu.add(delta_of(idle_w, k), Usage(k, k + 1))]


@dataclass(slots=True)
class Bill:
    """Sums over attributions."""

    energy_uj: int = 0
    parts_uj: dict[ProcessId, int] = field(default_factory=dict)
    errors: dict[ProcessId, PartError] = field(default_factory=dict)
    run_errors: dict[str, PartError] = field(default_factory=dict)
    idle_uj: int = 0
    unattributed_uj: int = 0

    def half_95_j(self, who: ProcessId) -> float:
        """Half-width of the 95 % interval."""
        error = self.errors[who]
        return Z_95 * math.hypot(math.sqrt(error.variance_uj2), error.systematic_uj) / UJ_PER_J

    def joules(self, who: ProcessId) -> float:
        """The part of a process."""
        return self.parts_uj.get(who, 0) / UJ_PER_J


def bill_of(attributions: Iterable[Attribution]) -> Bill:
    """What the accounts of a ledger would hold."""
    bill = Bill()
    for found in attributions:
        bill.energy_uj += found.delta.energy_uj
        bill.idle_uj += found.idle_uj
        bill.unattributed_uj += found.unattributed_uj
        for parts in (found.context_uj, found.active_uj):
            for who, part_uj in parts.items():
                bill.parts_uj[who] = bill.parts_uj.get(who, 0) + part_uj
        for who, error in found.errors.items():
            bill.errors[who] = _added(bill.errors.get(who, PartError()), error)
        for run, error in found.run_errors.items():
            bill.run_errors[run] = _added(bill.run_errors.get(run, PartError()), error)
    return bill


def _added(one: PartError, other: PartError) -> PartError:
    return PartError(one.variance_uj2 + other.variance_uj2, one.systematic_uj + other.systematic_uj)
