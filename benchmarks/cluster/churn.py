"""The real ledger and meter on a node where short processes come and go, and what its page says meanwhile."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aipower.books.ledger import Ledger
from aipower.meter import Meter
from aipower.model import AgentStats, FoldedEnergy, ProcessEnergy, Snapshot
from aipower_exporters.prometheus import PrometheusExporter
from benchmarks.cluster.cap import Bounds
from benchmarks.cluster.world import Churn, Clock, Population, sensor_set, sensors

CPU_WINDOW_S = 5.0
SCRAPE_S = 15.0
_CREATED = re.compile(r"_created$")


@dataclass(frozen=True, slots=True)
class Look:
    """One scrape."""

    at_s: float
    """Since the start."""
    snapshot: Snapshot
    page: str

    def series(self) -> Mapping[str, int]:
        """Number of series by metric; those of created timestamps by the name of theirs."""
        names = (re.split("[{ ]", line, maxsplit=1)[0] for line in self.page.splitlines() if not line.startswith("#"))
        return Counter(names)


class Node:
    """One node, its agent's pipeline, and its time."""

    def __init__(self, churn: Churn, max_processes: int = 200, max_jobs: int = 200) -> None:
        self.bounds = Bounds(churn.gpus, 2 * churn.sockets, max_processes, max_jobs, 0, churn.users + 1)
        self.clock = Clock()
        self.population = Population(churn, self.clock)
        self.sensors = sensors(churn, self.clock)
        self.ledger = Ledger(self.population, max_processes, max_jobs=max_jobs, since_unix_s=self.clock.unix_s())
        found = sensor_set(self.sensors, self.population, self.clock)
        self.meter = Meter(found, self.ledger, self.clock, 3 * CPU_WINDOW_S, jobs=True)
        self._exporter = PrometheusExporter()
        self._began_s = self.clock.now_s
        self.meter.sample()

    def run(self, seconds: float, window_s: float = 1.0) -> Iterator[Look]:
        """Live for so long; a look at each scrape. Windows of the GPUs last `window_s`, as the agent's do."""
        end_s, cpu_s, scrape_s = (self.clock.now_s + after_s for after_s in (seconds, CPU_WINDOW_S, SCRAPE_S))
        while self.clock.now_s < end_s:
            self.clock.sleep(window_s)
            self.meter.sample()
            self.meter.attribute(("gpu",))
            if self.clock.now_s >= cpu_s:
                cpu_s += CPU_WINDOW_S
                self.meter.attribute(("cpu", "dram"))
                self.ledger.retire(self.clock.now_s)
            if self.clock.now_s >= scrape_s:
                scrape_s += SCRAPE_S
                yield self.look()

    def look(self) -> Look:
        """A scrape now."""
        stats = AgentStats(folded_series=self.ledger.folded)
        snapshot = self.ledger.draft(
            self.clock.unix_s(), "0", self.meter.powers_w(), stats, self.meter.positions()
        ).snapshot()
        page, _ = self._exporter.render(snapshot, "application/openmetrics-text")
        return Look(self.clock.now_s - self._began_s, snapshot, page.decode())


def faults_of(snapshot: Snapshot) -> list[str]:
    """Where the parts do not sum to the whole to the microjoule; empty if the law holds."""
    found = []
    sums: dict[tuple[str, str], int] = defaultdict(int)
    rows: list[ProcessEnergy | FoldedEnergy] = [*snapshot.processes, *snapshot.folded]
    for row in rows:
        sums["processes", row.device.id] += row.context_uj + row.active_uj
    for user in snapshot.users:
        sums["users", user.device.id] += user.energy_uj
    for job in snapshot.jobs:
        sums["jobs", job.device.id] += job.energy_uj
    for folded in snapshot.folded_jobs:
        sums["jobs", folded.device.id] += folded.context_uj + folded.active_uj
    for state in snapshot.devices:
        used_uj = state.context_uj + state.active_uj
        if state.idle_uj + used_uj + state.unattributed_uj != state.energy_uj:
            found.append(f"components of {state.device.id}")
        found.extend(
            f"{what} of {state.device.id}: {sums[what, state.device.id]} of {used_uj} uJ"
            for what in ("processes", "users", "jobs")
            if sums[what, state.device.id] != used_uj
        )
    return found
