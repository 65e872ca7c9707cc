"""The node now."""

from __future__ import annotations

from aipower.site.sources import Condition, Sources
from aipower_exporters.api import health
from aipower_exporters.api.devices import devices, halves, total
from aipower_exporters.api.documents.snapshot import Condition as ConditionDocument
from aipower_exporters.api.documents.snapshot import Snapshot
from aipower_exporters.api.documents.units import SCHEMA
from aipower_exporters.api.footprint import Rates, Used, footprint
from aipower_exporters.api.numbers import rounded, unix_s
from aipower_exporters.api.view import View, seconds


def snapshot_document(view: View, sources: Sources, condition: Condition, rates: Rates) -> Snapshot:
    """All but processes, jobs, runs and the past."""
    snapshot, settings = view.snapshot, sources.settings
    known = halves(view, sources.scales)
    whole = total(view, known)
    used = Used(whole.power_w, whole.energy_j, whole.energy_half_j)
    return Snapshot(
        schema=SCHEMA,
        number=snapshot.number,
        at_unix_s=unix_s(snapshot.at_unix_s) or 0.0,
        host=sources.host,
        version=snapshot.version,
        boot=snapshot.boot,
        agent_started_unix_s=unix_s(snapshot.agent.started_unix_s),
        counters_since_unix_s=unix_s(snapshot.since_unix_s),
        interval_s=seconds(settings, "interval_s"),
        process_interval_s=seconds(settings, "process_interval_s"),
        history_s=seconds(settings, "history_s"),
        condition=ConditionDocument(condition.status, condition.reason, rounded(condition.sample_age_s, 3)),
        total=whole,
        footprint=footprint(used, rates),
        devices=devices(view, known),
        missing=health.missing(snapshot),
        faults=health.faults(snapshot),
        sinks=health.sinks(snapshot),
        journal=health.journal(snapshot.journal),
        agent=health.agent(snapshot),
    )
