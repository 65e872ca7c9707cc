"""How sensors, ways out and the agent do."""

from __future__ import annotations

from aipower.model import JournalState, SinkState, Snapshot
from aipower_exporters.api.documents.health import AgentCost, Fault, Journal, Missing, Sink
from aipower_exporters.api.numbers import certain, rounded


def missing(snapshot: Snapshot) -> list[Missing]:
    """Sources that cannot be read."""
    return [Missing(one.source, one.kind, one.reason, one.remedy) for one in snapshot.unavailable]


def faults(snapshot: Snapshot) -> list[Fault]:
    """Those that have happened; the agent counts the others from 0."""
    happened = sorted([item for item in snapshot.fault_counts.items() if item[1]])
    return [Fault(device, reason, count) for (device, reason), count in happened]


def sinks(snapshot: Snapshot) -> list[Sink]:
    """All ways out."""
    return [_sink(sink) for sink in snapshot.sinks]


def journal(state: JournalState | None) -> Journal | None:
    """None where there is no journal."""
    if state is None:
        return None
    return Journal(state.up, rounded(state.written_unix_s, 3), state.size_bytes, state.flushes)


def agent(snapshot: Snapshot) -> AgentCost:
    """The agent's own cost."""
    stats = snapshot.agent
    return AgentCost(
        cpu_s=certain(stats.cpu_s, 3),
        cpu_share=_cpu_share(snapshot),
        resident_bytes=stats.resident_bytes,
        ticks=stats.ticks,
        missed_ticks=stats.missed_ticks,
        late_s=certain(stats.late_s, 6),
        tick_s=certain(stats.tick_s, 6),
        folded_series=stats.folded_series,
        threads=stats.threads,
        open_descriptors=stats.open_descriptors,
    )


def _cpu_share(snapshot: Snapshot) -> float | None:
    """Since the start; None in the first second, of which it would say nothing."""
    started_unix_s = snapshot.agent.started_unix_s
    if started_unix_s is None or not snapshot.at_unix_s - started_unix_s >= 1.0:
        return None
    return rounded(snapshot.agent.cpu_s / (snapshot.at_unix_s - started_unix_s), 6)


def _sink(sink: SinkState) -> Sink:
    pushed_unix_s = rounded(sink.pushed_unix_s, 3)
    return Sink(sink.name, sink.up, sink.pushes, sink.skipped, dict(sink.faults), pushed_unix_s)
