"""When the counters began at 0: the created timestamps of OpenMetrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeGuard

from msgspec import Struct, field

from aipower.model import Snapshot
from aipower_exporters import metrics
from aipower_exporters.metrics import METRICS, Metric
from aipower_exporters.samples import CleanLabels

Labels = tuple[str, ...]

AGENTS_OWN = frozenset(
    {
        metrics.AGENT_CPU,
        metrics.AGENT_ENERGY,
        metrics.AGENT_TICKS,
        metrics.AGENT_TICK_TIME,
        metrics.AGENT_TICK_LATE,
        metrics.AGENT_TICKS_MISSED,
        metrics.AGENT_SWITCHES,
        metrics.JOURNAL_FLUSHES,
        metrics.JOURNAL_FLUSH_TIME,
        metrics.SINK_PUSHES,
        metrics.SINK_FAULTS,
        metrics.SINK_SKIPPED,
        metrics.SINK_TIME,
    }
)
"""Those that begin with each start of the agent."""


class Beginnings(Struct, frozen=True):
    """Of the series of one metric, in seconds since 1970."""

    usual_unix_s: float | None
    """Of those without one of their own."""
    key: Callable[[Labels], Labels] = lambda labels: labels
    """What of a series' labels says whose it is."""
    own_unix_s: Mapping[Labels, float] = field(default_factory=dict)

    def of(self, labels: Labels) -> float | None:
        """When the series with `labels` began, None if nobody knows."""
        return self.own_unix_s.get(self.key(labels), self.usual_unix_s)


def beginnings(snapshot: Snapshot) -> Mapping[Metric, Beginnings]:
    """For each counter."""
    since_unix_s = _finite(snapshot.since_unix_s)
    own = {
        metrics.PROCESS_ENERGY: Beginnings(since_unix_s, _first_four, _of_processes(snapshot)),
        metrics.RUN_ENERGY: Beginnings(since_unix_s, _first, _of_runs(snapshot)),
        metrics.USER_ENERGY: Beginnings(since_unix_s, _first, _of_users(snapshot)),
        **dict.fromkeys(
            (metrics.JOB_ENERGY, metrics.JOB_HELD, metrics.JOB_UNUSED),
            Beginnings(since_unix_s, _first_four, _of_jobs(snapshot)),
        ),
    }
    started = Beginnings(_finite(snapshot.agent.started_unix_s))
    counters = [metric for metric in METRICS if metric.type == "counter"]
    return {m: own.get(m, started if m in AGENTS_OWN else Beginnings(since_unix_s)) for m in counters}


def _first_four(labels: Labels) -> Labels:
    return labels[:4]


def _first(labels: Labels) -> Labels:
    return labels[:1]


def _of_processes(snapshot: Snapshot) -> Mapping[Labels, float]:
    clean = CleanLabels()
    return {
        (str(row.info.id.pid), clean[row.info.comm], clean[row.info.user], clean[row.run]): row.since_unix_s
        for row in snapshot.processes
        if row.info is not None and _is_known(row.since_unix_s)
    }


def _of_runs(snapshot: Snapshot) -> Mapping[Labels, float]:
    clean = CleanLabels()
    return {(clean[row.run],): row.since_unix_s for row in snapshot.runs if _is_known(row.since_unix_s)}


def _of_users(snapshot: Snapshot) -> Mapping[Labels, float]:
    clean = CleanLabels()
    return {(clean[row.user],): row.since_unix_s for row in snapshot.users if _is_known(row.since_unix_s)}


def _of_jobs(snapshot: Snapshot) -> Mapping[Labels, float]:
    clean = CleanLabels()
    return {
        (clean[row.owner.system], clean[row.owner.job], clean[row.owner.step], clean[row.user]): row.since_unix_s
        for row in snapshot.jobs
        if _is_known(row.since_unix_s)
    }


def _is_known(at_unix_s: float | None) -> TypeGuard[float]:
    return at_unix_s is not None and math.isfinite(at_unix_s)


def _finite(at_unix_s: float | None) -> float | None:
    return at_unix_s if _is_known(at_unix_s) else None
