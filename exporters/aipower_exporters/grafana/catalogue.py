"""All dashboards that aipower has."""

from __future__ import annotations

from aipower_exporters.grafana import cluster, job, node, who
from aipower_exporters.grafana.model import Dashboard


def dashboards() -> tuple[Dashboard, ...]:
    """In the order in which a person meets them: the whole, who, one job, one node."""
    return cluster.dashboard(), who.dashboard(), job.dashboard(), node.dashboard()
