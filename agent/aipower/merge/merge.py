"""One run of the records of many ranks and nodes: pure, and the same whatever the order of the records."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from aipower import __version__
from aipower.merge.choose import check_alike, distinct
from aipower.merge.devices import Account, Watch, account_of
from aipower.merge.facts import by_rank, merged_job, metrics, with_figures
from aipower.merge.faults import merged_faults, missing_ranks
from aipower.merge.phases import added, merged_phases
from aipower.merge.power import grid_of, series_of
from aipower.merge.sums import bounds, of_devices
from aipower.merge.views import Naming, View, by_node
from aipower.runrecord import (
    Energies,
    GroupRecord,
    Intervals,
    Missing,
    NodeRecord,
    PowerSeries,
    ProcessRecord,
    RunRecord,
    SeriesRecord,
)

MAX_PROCESSES = 1000
"""As in a single run."""
SHOWN_HOSTS = 4


def merge(records: Iterable[RunRecord]) -> RunRecord:
    """All records as one run; whose they are is not asked here, see `aipower.merge.choose`.

    Raises:
        AipowerError: There is none, some are simulated and some are not, or merged ones share some of their parts.
    """
    parts = distinct(records)
    check_alike(parts)
    nodes = by_node(parts)
    naming = Naming(len(nodes) > 1)
    accounts = {node: _accounts(node, views, naming) for node, views in nodes.items()}
    every = [account for of_node in accounts.values() for account in of_node]
    told = _told(parts, nodes)
    run_s = told.started_unix_s, told.wall_s
    energy_j, interval_j, repeatable_j = of_devices(every)
    missing = missing_ranks(parts, nodes, told.wall_s)
    merged = replace(
        told,
        energy_j=energy_j,
        interval_j=interval_j,
        repeatable_interval_j=repeatable_j,
        devices=[account.record for account in every],
        faults=[*missing, *merged_faults(nodes, accounts, run_s, naming)],
        complete=told.complete and not missing and not any(account.flaws for account in every),
        indistinct=_groups(nodes, naming),
        phases=merged_phases((view for views in nodes.values() for view in views), told.started_unix_s, naming),
        power=_power(parts, every, *run_s),
        nodes=[_node(node, views, accounts[node]) for node, views in nodes.items()],
    )
    return with_figures(merged, parts)


def _told(parts: Sequence[RunRecord], nodes: Mapping[str, Sequence[View]]) -> RunRecord:
    """The run as far as its parts tell it without a word about devices."""
    first = by_rank(parts)[0]
    started_s = min(record.started_unix_s for record in parts)
    estimated_j, estimated_interval_j = bounds([(part.estimated_j, part.estimated_interval_j) for part in parts])
    return RunRecord(
        run_id=_run_id(parts, started_s),
        name=first.name if len({record.name for record in parts}) == 1 else "",
        command=first.command,
        exit_code=max(record.exit_code for record in parts),
        started_unix_s=started_s,
        wall_s=max(record.started_unix_s - started_s + record.wall_s for record in parts),
        host=_hosts(list(nodes)),
        energy_j=Energies(),
        interval_j=Intervals(),
        repeatable_interval_j=Intervals(),
        estimated_j=estimated_j,
        estimated_interval_j=estimated_interval_j,
        devices=[],
        processes=_processes(nodes, parts),
        faults=[],
        not_measured=_not_measured(parts),
        cpu_time_s=sum(record.cpu_time_s for record in parts),
        max_rss_bytes=max(record.max_rss_bytes for record in parts),
        surviving_processes=sum(record.surviving_processes for record in parts),
        complete=all(record.complete for record in parts),
        simulated=parts[0].simulated,
        version=__version__,
        measured_by="agent" if all(record.measured_by == "agent" for record in parts) else "aipower-run",
        metrics=metrics(parts),
        work=added(record.work for record in parts),
        job=merged_job([record.job for record in parts], list(nodes)),
        series=_series(parts),
        merged_from=_ids(parts),
    )


def _accounts(node: str, views: Sequence[View], naming: Naming) -> list[Account]:
    """The node's devices, in the order in which its records show them."""
    watches: dict[str, list[Watch]] = {}
    for view in views:
        for row in view.rows():
            watches.setdefault(row.device, []).append(Watch(view, row))
    return [account_of(node, of_device, naming) for of_device in watches.values()]


def _run_id(parts: Sequence[RunRecord], started_s: float) -> str:
    """Of the same parts always the same, so that a second merge replaces the first."""
    digest = hashlib.sha256("\n".join(_ids(parts)).encode()).hexdigest()
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(started_s))}-{digest[:8]}"


def _ids(parts: Iterable[RunRecord]) -> list[str]:
    return sorted(run_id for record in parts for run_id in (record.merged_from or [record.run_id]))


def _hosts(nodes: Sequence[str]) -> str:
    return ", ".join(nodes) if len(nodes) <= SHOWN_HOSTS else f"{len(nodes)} nodes"


def _processes(nodes: Mapping[str, Sequence[View]], parts: Iterable[RunRecord]) -> list[ProcessRecord]:
    """Those of all parts with their nodes, the largest first."""
    hosts = {view.record.run_id: node for node, views in nodes.items() for view in views}
    every = [
        # In a part that is merged itself they know their nodes already.
        process if process.host else replace(process, host=hosts[record.run_id])
        for record in parts
        for process in record.processes
    ]
    return sorted(every, key=lambda process: process.energy_j, reverse=True)[:MAX_PROCESSES]


def _not_measured(parts: Iterable[RunRecord]) -> list[Missing]:
    return list(dict.fromkeys(missing for record in parts for missing in record.not_measured))


def _groups(nodes: Mapping[str, Sequence[View]], naming: Naming) -> list[GroupRecord]:
    """Those of each part: processes of different parts are told apart, by who started them."""
    return [
        replace(group, device=naming.device(node, group.device.removeprefix(view.prefix)))
        for node, views in nodes.items()
        for view in views
        for group in view.record.indistinct
        if group.device.startswith(view.prefix)
    ]


def _power(
    parts: Sequence[RunRecord], accounts: Iterable[Account], started_s: float, wall_s: float
) -> list[PowerSeries]:
    grid = grid_of(parts, started_s, wall_s)
    if grid is None:
        return []
    return [series for account in accounts if (series := series_of(account, grid)) is not None]


def _series(parts: Sequence[RunRecord]) -> SeriesRecord | None:
    """Kept where all parts are of the same repetition."""
    found = [record.series for record in parts]
    return found[0] if all(one == found[0] for one in found) else None


def _node(node: str, views: Sequence[View], accounts: Sequence[Account]) -> NodeRecord:
    energy_j, interval_j, _ = of_devices(accounts)
    run_ids = sorted({run_id for view in views for run_id in view.run_ids})
    ranks = sorted({rank for view in views for rank in view.ranks})
    return NodeRecord(node, run_ids, ranks, energy_j, interval_j)
