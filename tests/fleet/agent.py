"""The agent of a simulated node: the real meter and the real ledger, driven by the story's clock."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from aipower.books.ledger import Ledger
from aipower.books.resume import idle_levels_w, positions, revived
from aipower.meter import Meter
from aipower.model import AgentStats, JournalState, ProcessId, SinkState, Snapshot
from aipower.sensors.rapl.missing import no_dram
from fleet.machine import Machine
from fleet.plan import HOUR_S, HOURS, START_UNIX_S

COARSE_S, FINE_S = 150.0, 60.0
FINE_FROM_S = (HOURS - 2) * HOUR_S
RETENTION_S = 300.0
MAX_GAP_S = 3 * COARSE_S
NAMING = "name"


def instants() -> Iterator[float]:
    """When pages are scraped, in seconds since the start: coarse first, fine in the last two hours."""
    at_s = 0.0
    while at_s <= HOURS * HOUR_S:
        yield at_s
        at_s += COARSE_S if at_s < FINE_FROM_S else FINE_S


class Agent:
    """One agent, from its start to its end."""

    def __init__(self, machine: Machine, kept: Snapshot | None = None) -> None:
        self._machine = machine
        box, clock = machine.box, machine.clock
        self._runs = {one.id: one.work for one in machine.processes if one.work.run}
        self._started_s = clock.now_s
        self._ticks = 0
        self._ledger = Ledger(
            machine.directory,
            retention_s=RETENTION_S,
            boot=box.name,
            naming=NAMING,
            since_unix_s=clock.unix_s(),
        )
        if kept is not None:
            self._ledger.restore(revived(kept, clock.now_s, box.name, NAMING, machine.directory))
        self._meter = Meter(
            machine.found(),
            self._ledger,
            clock,
            MAX_GAP_S,
            self._run_of,
            positions=positions(kept, box.name, 0.0),
            jobs=True,
            idle_levels_w=idle_levels_w(kept),
        )

    def tick(self) -> Snapshot:
        """Sample, attribute, and what the page shows then."""
        self._ticks += 1
        self._register_runs()
        self._meter.sample()
        self._meter.attribute(("gpu", "cpu", "dram"))
        now_s = self._machine.clock.now_s
        self._ledger.retire(now_s)
        self._meter.refresh_limits()
        self._meter.refresh_methods()
        snapshot = self._ledger.draft(
            self._machine.clock.unix_s(),
            "0.0.0",
            self._meter.powers_w(),
            self._stats(now_s),
            self._meter.positions(),
            JournalState(True, self._ticks, 0.002 * self._ticks, 40_000, self._machine.clock.unix_s() - 5),
        ).snapshot()
        return self._completed(snapshot, now_s)

    def _run_of(self, process: ProcessId) -> str:
        work = self._runs.get(process)
        return work.run if work else ""

    def _register_runs(self) -> None:
        now_s = self._machine.clock.now_s
        for work in self._runs.values():
            if work.begin_s <= now_s < work.end_s:
                self._ledger.register_run(work.run, work.run_name, work.user)
            elif work.end_s <= now_s:
                self._ledger.end_run(work.run, work.end_s)

    def _stats(self, now_s: float) -> AgentStats:
        lived_s = now_s - self._started_s
        return AgentStats(
            0.004 * lived_s,
            42_000_000,
            int(lived_s),
            0.002 * lived_s,
            0.0005 * lived_s,
            folded_series=self._ledger.folded,
            started_unix_s=START_UNIX_S + self._started_s,
            open_descriptors=24,
            threads=9,
            context_switches=int(4 * lived_s),
        )

    def _completed(self, snapshot: Snapshot, now_s: float) -> Snapshot:
        """With what the parts of the agent beside the ledger would say."""
        return replace(
            snapshot,
            sinks=(self._sink(now_s),),
            unavailable=() if self._machine.box.has_dram else (no_dram(),),
        )

    def _sink(self, now_s: float) -> SinkState:
        down_s, up_s = (hour * HOUR_S for hour in self._machine.box.sink_down_h)
        down = down_s <= now_s < up_s
        failed = int(max(0.0, min(now_s, up_s) - down_s) / 15) if down_s >= 0 else 0
        pushes = int(now_s / 15) - failed
        pushed_s = down_s if down else now_s
        return SinkState("otlp", not down, pushes, 0, 0.004 * pushes, {"refused": failed}, START_UNIX_S + pushed_s)
