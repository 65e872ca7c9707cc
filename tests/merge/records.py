"""A made-up cluster whose truth is known, and the records that its ranks would write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from aipower.merge.windows import length_s
from aipower.runrecord import (
    DeviceRecord,
    Energies,
    Interval,
    Intervals,
    JobRecord,
    PowerSeries,
    ProcessRecord,
    RunRecord,
)

STARTED_UNIX_S = 1_795_000_000.0
GAIN_95, OFFSET_95_W = 0.05, 12.0
OWN_95 = 0.002
STEP_S = 1.0


class Card(Struct, frozen=True):
    """A device that draws the same power all the time, and as much more for each rank that works on it."""

    device: str = "GPU-0"
    kind: str = "gpu"
    idle_w: float = 60.0
    others_w: float = 0.0
    unattributed_w: float = 0.0
    calibration: str = ""


class Rank(Struct, frozen=True):
    """When a rank ran, in seconds after the start of the world, and what it drew of each device."""

    number: int
    node: str = "n1"
    start_s: float = 0.0
    end_s: float = 100.0
    powers_w: Mapping[str, float] = field(default_factory=lambda: {"GPU-0": 100.0})
    leader: bool = True
    blind: bool = False
    """It does not know its own part of GPUs."""


class World(Struct, frozen=True):
    """All ranks of a job, and the devices of each node."""

    ranks: Sequence[Rank]
    cards: Sequence[Card] = (Card(),)

    def record(self, rank: Rank, **changes: Any) -> RunRecord:
        """What the rank writes when it ends."""
        rows = [self._row(rank, card) for card in self.cards]
        parts = {kind: [row for row in rows if row.kind == kind] for kind in ("gpu", "cpu", "dram")}
        known = [row for row in rows if row.run_energy_j is not None]
        energies_j: dict[str, float] = {}
        absolutes_j: dict[str, Interval] = {}
        repeatables_j: dict[str, Interval] = {}
        for name, of_kind in {"total": known, **parts}.items():
            used = [row for row in of_kind if row.run_energy_j is not None]
            if used:
                energies_j[name] = math.fsum(row.run_energy_j or 0.0 for row in used)
                absolutes_j[name] = _around(energies_j[name], GAIN_95 + OWN_95)
                repeatables_j[name] = _around(energies_j[name], OWN_95)
        fields: dict[str, Any] = {
            "run_id": run_id(rank),
            "name": "job",
            "command": ["python", "train.py", f"--rank={rank.number}"],
            "exit_code": 0,
            "started_unix_s": STARTED_UNIX_S + rank.start_s,
            "wall_s": rank.end_s - rank.start_s,
            "host": "vm",
            "energy_j": Energies(**energies_j),
            "interval_j": Intervals(**absolutes_j),
            "repeatable_interval_j": Intervals(**repeatables_j),
            "estimated_j": Energies(),
            "estimated_interval_j": Intervals(),
            "devices": rows,
            "processes": [_process(rank, energies_j.get("total", 0.0))],
            "faults": [],
            "not_measured": [],
            "cpu_time_s": 10.0,
            "max_rss_bytes": 1000 + rank.number,
            "surviving_processes": 0,
            "complete": True,
            "simulated": False,
            "version": "0",
            "power": [self._series(rank, card) for card in self.cards],
            "job": job(rank, len({one.number for one in self.ranks})),
        }
        return RunRecord(**{**fields, **changes})

    def records(self) -> list[RunRecord]:
        """Of all ranks."""
        return [self.record(rank) for rank in self.ranks]

    def energy_j(self, card: Card, node: str, start_s: float, end_s: float) -> float:
        """What the device of `node` draws from `start_s` to `end_s`."""
        base_w = card.idle_w + card.others_w + card.unattributed_w
        return base_w * (end_s - start_s) + sum(
            rank.powers_w.get(card.device, 0.0) * max(0.0, min(end_s, rank.end_s) - max(start_s, rank.start_s))
            for rank in self.ranks
            if rank.node == node
        )

    def run_j(self, card: Card, node: str) -> float:
        """What the ranks of `node` use of the device."""
        mine = [rank for rank in self.ranks if rank.node == node]
        return sum(rank.powers_w.get(card.device, 0.0) * (rank.end_s - rank.start_s) for rank in mine)

    def lasts_s(self, node: str) -> float:
        """For how long a rank runs on `node`."""
        return length_s((rank.start_s, rank.end_s) for rank in self.ranks if rank.node == node)

    def _row(self, rank: Rank, card: Card) -> DeviceRecord:
        span_s = rank.end_s - rank.start_s
        energy_j = self.energy_j(card, rank.node, rank.start_s, rank.end_s)
        run_j = None if rank.blind and card.kind == "gpu" else rank.powers_w.get(card.device, 0.0) * span_s
        idle_j, unattributed_j = card.idle_w * span_s, card.unattributed_w * span_s
        offset_j = OFFSET_95_W * span_s if card.kind == "gpu" else 0.0
        own_j, scale_j = OWN_95 * energy_j, math.hypot(GAIN_95 * energy_j, offset_j)
        peak_w = max(self._power_w(card, rank.node, at_s) for at_s in self._moments(rank))
        return DeviceRecord(
            device=card.device,
            kind=card.kind,
            index="0",
            name=f"Made-up {card.kind}",
            method="counter",
            energy_j=energy_j,
            interval_j=_near(energy_j, math.hypot(own_j, scale_j)),
            mean_w=energy_j / span_s,
            peak_w=peak_w,
            run_energy_j=run_j,
            run_interval_j=None if run_j is None else _near(run_j, math.hypot(OWN_95, GAIN_95) * run_j),
            idle_j=idle_j,
            other_j=energy_j - (run_j or 0.0) - idle_j - unattributed_j,
            unattributed_j=unattributed_j,
            covered_s=span_s,
            run_unknown="the driver does not say" if run_j is None else "",
            calibration=card.calibration,
            repeatable_interval_j=_near(energy_j, own_j),
            repeatable_run_interval_j=None if run_j is None else _near(run_j, OWN_95 * run_j),
        )

    def _moments(self, rank: Rank) -> list[float]:
        """Just after everything that changes the power while `rank` runs."""
        begins = [rank.start_s, *(one.start_s for one in self.ranks)]
        return [at_s for at_s in begins if rank.start_s <= at_s < rank.end_s]

    def _power_w(self, card: Card, node: str, at_s: float) -> float:
        working = [rank for rank in self.ranks if rank.node == node and rank.start_s <= at_s < rank.end_s]
        base_w = card.idle_w + card.others_w + card.unattributed_w
        return base_w + sum(rank.powers_w.get(card.device, 0.0) for rank in working)

    def _series(self, rank: Rank, card: Card) -> PowerSeries:
        wall_s = rank.end_s - rank.start_s
        whole_w: list[float | None] = []
        for step in range(math.ceil(wall_s / STEP_S)):
            start_s = rank.start_s + step * STEP_S
            end_s = min(rank.end_s, start_s + STEP_S)
            whole_w.append(self.energy_j(card, rank.node, start_s, end_s) / (end_s - start_s))
        own_w: list[float | None] = [rank.powers_w.get(card.device, 0.0)] * len(whole_w)
        return PowerSeries(card.device, STEP_S, whole_w, own_w)


def run_id(rank: Rank) -> str:
    """Another for each rank and start."""
    return f"20261118T100640Z-{rank.number:04x}{round(rank.start_s * 10) & 0xFFFF:04x}"


def job(rank: Rank, ranks: int, job_id: str = "4711") -> JobRecord:
    """As Slurm tells it."""
    variables = {"SLURM_JOB_ID": job_id, "SLURM_PROCID": str(rank.number)}
    return JobRecord("slurm", job_id, rank.node, "0", rank.number, 0, ranks, rank.leader, variables)


def _process(rank: Rank, energy_j: float) -> ProcessRecord:
    interval_j = _around(energy_j, GAIN_95)
    return ProcessRecord(100 + rank.number, "python train.py", energy_j, interval_j, interval_j, True, 10.0)


def _around(energy_j: float, relative: float) -> Interval:
    return energy_j * (1 - relative), energy_j * (1 + relative)


def _near(energy_j: float, half_j: float) -> Interval:
    return max(0.0, energy_j - half_j), energy_j + half_j
