"""The record of a report from a Prometheus, schema `aipower.run/1`: all that a job's and a user's have in common."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower import __version__
from aipower.fleet import faultlines
from aipower.fleet.growth import Reader
from aipower.fleet.nodes import Node
from aipower.fleet.parts import Part, rows_of
from aipower.fleet.power import powers_of
from aipower.fleet.reached import silent_since
from aipower.fleet.scene import Place, Scene, covered_s
from aipower.fleet.selectors import Selector
from aipower.merge.devices import Account
from aipower.merge.sums import of_devices
from aipower.record.page import Row
from aipower.runrecord import Energies, FaultLine, Intervals, NodeRecord, ProcessRecord, RunRecord

MEASURED_BY = "prometheus"
SHOWN_HOSTS = 4
LEAST_COVERED = 0.95
SIMULATED = "simulated"
"""The driver of sensors that are none."""

Pairs = Sequence[tuple[Node, Account]]
"""Devices with their nodes."""


class Report(Struct, frozen=True):
    """A record, and what a terminal is told beside it."""

    record: RunRecord
    rows: tuple[Row, ...] = ()


def composed(reader: Reader, scene: Scene, parts: Mapping[Place, Part], own: Selector) -> RunRecord:
    """All but who it is about."""
    pairs = rows_of(scene.machines, parts, covered_s(scene), scene.shown, scene.interval_s)
    accounts = [account for _, account in pairs]
    energy_j, interval_j, repeatable_j = of_devices(accounts)
    silent = _silent(scene)
    return RunRecord(
        run_id="",
        name="",
        command=[],
        exit_code=0,
        started_unix_s=scene.window.start_s,
        wall_s=scene.window.span_s,
        host=_hosts(sorted(scene.shown.values())),
        energy_j=energy_j,
        interval_j=interval_j,
        repeatable_interval_j=repeatable_j,
        estimated_j=Energies(),
        estimated_interval_j=Intervals(),
        devices=[account.record for account in accounts],
        processes=list[ProcessRecord](),
        faults=_faults(reader, scene, pairs, silent),
        not_measured=faultlines.not_measured(reader, scene.targets, scene.window, scene.shown),
        cpu_time_s=0.0,
        max_rss_bytes=0,
        surviving_processes=0,
        complete=not silent and _is_covered(accounts, scene.window.span_s),
        simulated=_is_simulated(scene),
        version=__version__,
        measured_by=MEASURED_BY,
        metrics={"resolution_s": scene.interval_s},
        power=powers_of(reader, scene, own),
        nodes=_node_rows(pairs, scene.shown),
    )


def _faults(reader: Reader, scene: Scene, pairs: Pairs, silent: Mapping[Node, float]) -> list[FaultLine]:
    window, shown = scene.window, scene.shown
    return [
        *faultlines.silent(silent, window, shown),
        *faultlines.holes(scene.contacts, window, shown),
        *faultlines.flaws(pairs, window.span_s, shown),
        *faultlines.told(reader, scene.targets, window, shown),
    ]


def _silent(scene: Scene) -> dict[Node, float]:
    found = silent_since(scene.contacts, scene.window.end_s, scene.interval_s)
    return {node: at_s for node, at_s in found.items() if node in scene.shown}


def _is_covered(accounts: Sequence[Account], span_s: float) -> bool:
    return all(not one.flaws and one.record.covered_s >= LEAST_COVERED * span_s for one in accounts)


def _is_simulated(scene: Scene) -> bool:
    drivers = [driver for (node, _), (_, _, driver) in scene.machines.info.items() if node in scene.shown]
    return bool(drivers) and all(driver == SIMULATED for driver in drivers)


def _hosts(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= SHOWN_HOSTS else f"{len(names)} nodes"


def _node_rows(pairs: Pairs, shown: Mapping[Node, str]) -> list[NodeRecord]:
    rows: list[NodeRecord] = []
    for node, name in sorted(shown.items(), key=lambda item: item[1]):
        energy_j, interval_j, _ = of_devices(account for one, account in pairs if one == node)
        rows.append(NodeRecord(name, [], [], energy_j, interval_j))
    return rows


def with_warnings(record: RunRecord, reader: Reader) -> RunRecord:
    """The record with what the engine said of its answers."""
    lines: list[FaultLine] = list(faultlines.engine(reader.client.warnings, record.wall_s))
    return replace(record, faults=[*lines, *record.faults], complete=record.complete and not lines)


def edge_note(interval_s: float) -> str:
    """How well the edges are known."""
    return f"scraped every {interval_s:g} s: start and end are known to within that"


def run_id_of(record: RunRecord, *about: str) -> str:
    """Of the same report always the same, whatever engine it comes from."""
    told = [*about, *(node.host for node in record.nodes), f"{record.wall_s:.3f}"]
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(record.started_unix_s))}-{digest[:8]}"
