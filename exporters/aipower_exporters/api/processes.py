"""Who uses the node, by process. Energies are integers until they are shown, so that they sum exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from aipower.model import SUMMED_KINDS, UJ_PER_J, Method, ProcessEnergy, ProcessId, ProcessInfo
from aipower.site.history import Part, Window
from aipower_exporters.api.accounts import accounts
from aipower_exporters.api.documents.processes import Process, ProcessDevice, Processes
from aipower_exporters.api.documents.units import SCHEMA
from aipower_exporters.api.errors import energy_half_j
from aipower_exporters.api.numbers import certain, combined, earliest, joules, rounded, share, watts
from aipower_exporters.api.scopes import joint_scope
from aipower_exporters.api.view import View, part_w, spending

Sort = Literal["power", "energy"]
SORTS: tuple[Sort, ...] = ("power", "energy")
METHODS: tuple[Method, ...] = ("counter", "integrated", "estimated")
"""From the strongest to the weakest."""
RANKS = MappingProxyType({method: rank for rank, method in enumerate(METHODS)})
NOTHING: Mapping[str, Part] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Whole:
    """What all processes are measured against."""

    total_w: float | None
    total_uj: int
    methods: Mapping[str, Method]
    """Of the devices in the total, by id."""
    scopes: Mapping[str, str]
    """Of the same devices: which of their errors are shared."""
    current: frozenset[str]
    """The devices that have a window of now."""
    names: Mapping[str, str]
    """Of runs, by id."""


def processes_document(view: View, sort: Sort, limit: int) -> Processes:
    """The first `limit` of all processes, and the accounts of what none of them has."""
    windows = view.summed_windows()
    whole, spent, rows = _whole(view, windows), spending(windows), _rows(view.snapshot.processes)
    found = [_process(key, of_one, spent.get(key, NOTHING), whole) for key, of_one in rows.items()]
    found.sort(key=_by_power if sort == "power" else _by_energy)
    return Processes(
        schema=SCHEMA,
        number=view.snapshot.number,
        at_unix_s=certain(view.snapshot.at_unix_s, 3),
        total_w=watts(whole.total_w),
        total_j=joules(whole.total_uj),
        processes=tuple(found[:limit]),
        accounts=accounts(view, windows, rows.keys()),
        more=max(0, len(found) - limit),
    )


def _whole(view: View, windows: Iterable[Window]) -> Whole:
    states = view.summed
    return Whole(
        view.total_w(),
        view.total_uj(),
        {state.device.id: state.facts.method for state in states},
        {state.device.id: joint_scope(state.device) for state in states},
        frozenset(window.device for window in windows),
        {run.run: run.name for run in view.snapshot.runs},
    )


def _rows(energies: Iterable[ProcessEnergy]) -> dict[ProcessId, list[ProcessEnergy]]:
    """What each process used of the devices in the total."""
    found: dict[ProcessId, list[ProcessEnergy]] = {}
    last: ProcessInfo | None = None
    of_one: list[ProcessEnergy] = []
    for row in energies:
        info = row.info
        if info is None or row.device.kind not in SUMMED_KINDS:
            continue
        # Rows of one process stand together, and hashing an id takes longer than all else here.
        if info is not last:
            last, of_one = info, found.setdefault(info.id, [])
        of_one.append(row)
    return found


def _process(key: ProcessId, rows: list[ProcessEnergy], parts: Mapping[str, Part], whole: Whole) -> Process:
    info, run = rows[0].info, rows[0].run
    assert info is not None  # noqa: S101 - `_rows` leaves the account `other` out
    place, owner, kinds_uj = info.place, info.place.owner, _kinds_uj(rows)
    energy_uj, power_w = sum(kinds_uj.values()), _power_w(rows, parts, whole)
    return Process(
        pid=key.pid,
        started_ticks=key.started_ticks,
        comm=info.comm,
        user=info.user,
        run=run,
        run_name=whole.names.get(run, ""),
        system=owner.system,
        job=owner.job,
        step=owner.step,
        container=place.container,
        unit=place.unit,
        power_w=watts(power_w),
        power_half_w=None if power_w is None else _power_half_w(parts, whole),
        share=share(power_w, whole.total_w),
        energy_j=joules(energy_uj),
        energy_half_j=energy_half_j(rows),
        energy_share=share(energy_uj, whole.total_uj),
        kinds_j={kind: joules(of_kind_uj) for kind, of_kind_uj in kinds_uj.items()},
        devices=_devices(rows, parts, whole),
        method=_weakest(rows, whole),
        since_unix_s=rounded(earliest([row.since_unix_s for row in rows]), 3),
        ended=all(row.ended_s is not None for row in rows),
    )


def _kinds_uj(rows: Iterable[ProcessEnergy]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        kind = row.device.kind
        found[kind] = found.get(kind, 0) + row.context_uj + row.active_uj
    return found


def _power_w(rows: Iterable[ProcessEnergy], parts: Mapping[str, Part], whole: Whole) -> float | None:
    """0 where there are windows and it has no part in them; None where there are none."""
    if not parts and not any(row.device.id in whole.current for row in rows):
        return None
    return sum([part_w(part) for part in parts.values()])


def _power_half_w(parts: Mapping[str, Part], whole: Whole) -> float:
    if len(parts) == 1:
        return certain(next(iter(parts.values())).half_w, 3)
    return certain(combined((whole.scopes[device], part.half_w) for device, part in parts.items()), 3)


def _devices(rows: Iterable[ProcessEnergy], parts: Mapping[str, Part], whole: Whole) -> tuple[ProcessDevice, ...]:
    """Those that it has used, and those that it draws from for the first time."""
    found = [_device(row, parts.get(row.device.id), whole) for row in rows]
    new = parts.keys() - {one.device for one in found}
    return (*found, *[ProcessDevice(device, watts(part_w(parts[device])), 0.0, 0.0) for device in sorted(new)])


def _device(row: ProcessEnergy, part: Part | None, whole: Whole) -> ProcessDevice:
    device = row.device.id
    power_w = 0.0 if part is None else part_w(part)
    return ProcessDevice(
        device,
        watts(power_w) if device in whole.current else None,
        joules(row.context_uj + row.active_uj),
        certain(row.error_uj / UJ_PER_J, 6),
    )


def _weakest(rows: Iterable[ProcessEnergy], whole: Whole) -> Method:
    return METHODS[max([RANKS[whole.methods.get(row.device.id, METHODS[-1])] for row in rows])]


def _by_power(process: Process) -> tuple[float, float, int]:
    """Those whose power is not known come last."""
    return math.inf if process.power_w is None else -process.power_w, -process.energy_j, process.pid


def _by_energy(process: Process) -> tuple[float, float, int]:
    return -process.energy_j, math.inf if process.power_w is None else -process.power_w, process.pid
