"""How many series a page may have at most, from the settings and the devices, for each metric of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aipower.books.userbook import MOST_USERS
from aipower_exporters import metrics
from aipower_exporters.metrics import METRICS, Metric

DEVICE_REASONS = 13
"""Reasons of the faults of a device: `aipower.model.Fault`."""
OTHER_REASONS = 16
"""Reasons of faults that concern no device: those of the journal, of a reload, of the agent itself."""
SINK_REASONS = 6
SOURCES = 8
USERS = MOST_USERS + 1
"""And the one without a name."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What limits a page."""

    gpus: int
    others: int
    """Processors and memories."""
    max_processes: int = 200
    max_jobs: int = 200
    max_runs: int = 1000
    users: int = USERS
    """Those whose processes were ever met, up to `USERS`."""
    sinks: int = 0

    @property
    def devices(self) -> int:
        """All of them."""
        return self.gpus + self.others


def most_series(bounds: Bounds) -> Mapping[str, int]:
    """The most series of each metric by its name, without those of created timestamps."""
    return {metric.name: _most(metric, bounds) for metric in METRICS}


def _most(metric: Metric, bounds: Bounds) -> int:
    devices, gpus, sinks = bounds.devices, bounds.gpus, bounds.sinks
    loose = 2 * bounds.users
    """Rows of a device that are in no job, and of jobs without an account, by user."""
    table = {
        metrics.DEVICE_COMPONENT_ENERGY: 4 * devices,
        # Only a GPU has contexts. One row more is the account `other`.
        metrics.PROCESS_ENERGY: (bounds.max_processes + 1) * (devices + gpus),
        metrics.PROCESS_FOLDED: 2 * devices,
        metrics.PROCESS_ENERGY_ERROR: (bounds.max_processes + 1) * devices,
        metrics.PROCESS_INFO: bounds.max_processes,
        metrics.RUN_ENERGY: bounds.max_runs * devices,
        metrics.USER_ENERGY: bounds.users * devices,
        # One row more is that of the idle energy.
        metrics.JOB_ENERGY: (bounds.max_jobs + loose + 1) * devices,
        metrics.JOB_FOLDED: devices,
        metrics.JOB_ENERGY_ERROR: (bounds.max_jobs + loose) * devices,
        metrics.JOB_HELD: bounds.max_jobs * gpus,
        metrics.JOB_UNUSED: bounds.max_jobs * gpus,
        metrics.JOB_INFO: bounds.max_jobs,
        metrics.AGENT_FAULTS: DEVICE_REASONS * devices + OTHER_REASONS,
        metrics.SOURCE_MISSING: SOURCES,
        metrics.SINK_FAULTS: SINK_REASONS * sinks,
    }
    if metric in table:
        return table[metric]
    if metric.labels[:3] == metrics.DEVICE_LABELS:
        return devices
    return sinks if metric.labels == ("sink",) else 1
