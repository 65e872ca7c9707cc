"""Runs that the agent meters, and those that have records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from aipower.model import SUMMED_KINDS, UJ_PER_J, RunEnergy, Snapshot
from aipower.site.sources import KeptRun, Scales, Sources
from aipower_exporters.api.documents.runs import Run, Runs
from aipower_exporters.api.documents.units import SCHEMA
from aipower_exporters.api.errors import with_scale_half_j
from aipower_exporters.api.numbers import certain, earliest, joules, rounded, unix_s, watts
from aipower_exporters.api.view import View, key_of, part_w, spending

Pair = tuple[float, float]


def runs_document(view: View, sources: Sources) -> Runs:
    """All runs, the newest first. It reads files."""
    hidden = sources.shelf.hidden()
    kept = {} if hidden else {run.run_id: run for run in sources.shelf.runs()}
    metered, powers_w = _metered(view.snapshot), _powers_w(view)
    found = [_kept(run, metered.get(run.run_id, ()), powers_w, view, sources.scales) for run in kept.values()]
    found += [
        _without_record(rows, powers_w, view, sources.scales) for run, rows in metered.items() if run not in kept
    ]
    found.sort(key=lambda run: (-(run.started_unix_s or 0.0), run.run_id))
    return Runs(SCHEMA, round(view.now.unix_s, 3), not hidden, hidden, found)


def _metered(snapshot: Snapshot) -> dict[str, list[RunEnergy]]:
    found: dict[str, list[RunEnergy]] = {}
    for row in snapshot.runs:
        if row.device.kind in SUMMED_KINDS:
            found.setdefault(row.run, []).append(row)
    return found


def _powers_w(view: View) -> dict[str, float]:
    """What the processes of each run draw; empty while no device has a window of now."""
    windows = view.summed_windows
    if not windows:
        return {}
    found = dict.fromkeys((row.run for row in view.snapshot.runs), 0.0)
    runs = {key_of(row.info.id): row.run for row in view.snapshot.processes if row.info is not None and row.run}
    for process, parts in spending(windows).items():
        run = runs.get(process)
        if run is not None:
            found[run] = found.get(run, 0.0) + sum(part_w(part) for part in parts.values())
    return found


def _without_record(rows: Sequence[RunEnergy], powers_w: Mapping[str, float], view: View, scales: Scales) -> Run:
    first = rows[0]
    going = any(row.ended_s is None for row in rows)
    started_unix_s = earliest(row.since_unix_s for row in rows)
    energy_j, interval_j = _energy(rows, scales, view.scopes)
    return Run(
        run_id=first.run,
        name=first.name,
        user=first.user,
        state="going" if going else "ended",
        power_w=watts(powers_w.get(first.run)) if going else None,
        energy_j=energy_j,
        interval_j=interval_j,
        started_unix_s=unix_s(started_unix_s),
        wall_s=_since(started_unix_s, view.now.unix_s) if going else None,
        exit_code=None,
        report=None,
    )


def _kept(run: KeptRun, rows: Sequence[RunEnergy], powers_w: Mapping[str, float], view: View, scales: Scales) -> Run:
    """While a run goes on the agent knows more than its record; afterwards the record is the last word."""
    going = run.state == "going"
    energy_j, interval_j = rounded(run.energy_j, 6), run.interval_j
    if rows and (going or energy_j is None):
        energy_j, interval_j = _energy(rows, scales, view.scopes)
    wall_s = _since(run.started_unix_s, view.now.unix_s) if going and run.wall_s is None else rounded(run.wall_s, 3)
    return Run(
        run_id=run.run_id,
        name=run.name,
        user=rows[0].user if rows else "",
        state=run.state,
        power_w=watts(powers_w.get(run.run_id)) if going else None,
        energy_j=energy_j,
        interval_j=None if interval_j is None else (certain(interval_j[0], 6), certain(interval_j[1], 6)),
        started_unix_s=unix_s(run.started_unix_s),
        wall_s=wall_s,
        exit_code=run.exit_code,
        report=f"/runs/{quote(run.run_id, safe='', errors='replace')}" if run.state == "ended" else None,
    )


def _energy(rows: Sequence[RunEnergy], scales: Scales, scopes: Mapping[str, str]) -> tuple[float, Pair | None]:
    """What the agent has counted, and its 95 % interval."""
    energy_uj = sum(row.energy_uj for row in rows)
    half_j = with_scale_half_j(rows, scales, scopes)
    energy_j = energy_uj / UJ_PER_J
    interval_j = None if half_j is None else (round(max(0.0, energy_j - half_j), 6), round(energy_j + half_j, 6))
    return joules(energy_uj), interval_j


def _since(started_unix_s: float | None, now_unix_s: float) -> float | None:
    return None if started_unix_s is None else round(max(0.0, now_unix_s - started_unix_s), 3)
