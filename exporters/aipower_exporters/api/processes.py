"""Who uses the node, by process. Energies are integers until they are shown, so that they sum exactly."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import inf, sqrt
from operator import attrgetter
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from aipower.model import SUMMED_KINDS, UJ_PER_J, Kind, Method, ProcessEnergy, ProcessInfo
from aipower.site.history import Part, Window
from aipower_exporters.api.accounts import accounts
from aipower_exporters.api.documents.processes import Process, ProcessDevice, Processes
from aipower_exporters.api.documents.units import SCHEMA
from aipower_exporters.api.encoding import with_rows
from aipower_exporters.api.errors import energy_half_j
from aipower_exporters.api.lines import Line, Lines, head_of, rows_of
from aipower_exporters.api.numbers import combined, half_joules, joules, known_watts, unix_s, watts
from aipower_exporters.api.view import Key, View, key_of, part_w, spending

Sort = Literal["power", "energy"]
SORTS: tuple[Sort, ...] = ("power", "energy")
METHODS: tuple[Method, ...] = ("counter", "integrated", "estimated")
"""From the strongest to the weakest."""
ORDERS = {"power": attrgetter("by_power"), "energy": attrgetter("by_energy")}
LAST = len(METHODS) - 1
NOTHING: Mapping[str, Part] = MappingProxyType({})


class Whole(Struct, frozen=True):
    """What all processes have in common."""

    devices: Mapping[str, tuple[Kind, int, float | None]]
    """Kind and rank of the method of the devices in the total, by id; and 0 W where there is a window of now."""
    scopes: Mapping[str, str]
    """As those of the view."""
    names: Mapping[str, str]
    """Of runs, by id."""


class Used(Struct, frozen=True, gc=False):
    """What one process has used, and draws where there are windows."""

    kinds_uj: dict[str, int]
    devices: list[ProcessDevice]
    weakest: Method
    half_j: float
    known: bool
    """True where one of the devices has a window of now."""


def processes_document(view: View, sort: Sort, limit: int, lines: Lines[Key]) -> bytes:
    """The first `limit` of all processes, and the accounts of what none of them has.

    `lines` keeps what does not change until the next document.
    """
    windows = view.summed_windows
    whole, spent, rows = _whole(view, windows), spending(windows), _rows(view.snapshot.processes)
    sources = {key: (*of_one, *spent[key].values()) if key in spent else of_one for key, of_one in rows.items()}
    found = lines.of(whole, sources, lambda key: _line(rows[key], spent.get(key, NOTHING), whole))
    total_w, total_uj = view.total_w(), view.total_uj()
    found.sort(key=ORDERS[sort])
    document = Processes(
        schema=SCHEMA,
        number=view.snapshot.number,
        at_unix_s=unix_s(view.snapshot.at_unix_s) or 0.0,
        total_w=watts(total_w),
        total_j=joules(total_uj),
        processes=[],
        accounts=accounts(view, windows, [parts for key, parts in spent.items() if key not in rows]),
        more=max(0, len(found) - limit),
    )
    return with_rows(document, "processes", rows_of(found[:limit], total_w, total_uj))


def _whole(view: View, windows: Iterable[Window]) -> Whole:
    states, current = view.summed, {window.device for window in windows}
    zero_w = {state.device.id: 0.0 if state.device.id in current else None for state in states}
    return Whole(
        {
            state.device.id: (state.device.kind, METHODS.index(state.facts.method), zero_w[state.device.id])
            for state in states
        },
        view.scopes,
        {run.run: run.name for run in view.snapshot.runs},
    )


def _rows(energies: Iterable[ProcessEnergy]) -> dict[Key, list[ProcessEnergy]]:
    """What each process used of the devices in the total."""
    found: dict[Key, list[ProcessEnergy]] = {}
    last: ProcessInfo | None = None
    of_one: list[ProcessEnergy] = []
    for row in energies:
        info = row.info
        if info is None or row.device.kind not in SUMMED_KINDS:
            continue
        # Rows of one process stand together.
        if info is not last:
            last, of_one = info, found.setdefault(key_of(info.id), [])
        of_one.append(row)
    return found


def _line(rows: list[ProcessEnergy], parts: Mapping[str, Part], whole: Whole) -> Line:
    used = _used(rows, parts, whole)
    energy_uj = sum(used.kinds_uj.values())
    power_w = sum([part.context_w + part.active_w for part in parts.values()]) if used.known else None
    half_w = None if power_w is None else _half_w(parts, whole)
    process = _process(rows[0], used, (watts(power_w), half_w, energy_uj), whole)
    # Those whose power is not known come last.
    less_w, less_uj = inf if process.power_w is None else -process.power_w, -energy_uj
    by_power, by_energy = (less_w, less_uj, process.pid), (less_uj, less_w, process.pid)
    return Line(head_of(process), power_w, energy_uj, by_power, by_energy)


def _process(
    first: ProcessEnergy, used: Used, figures: tuple[float | None, float | None, int], whole: Whole
) -> Process:
    info = first.info
    assert info is not None  # noqa: S101 - `_rows` leaves the account `other` out
    place, owner, (power_w, half_w, energy_uj) = info.place, info.place.owner, figures
    return Process(
        pid=info.id.pid,
        started_ticks=info.id.started_ticks,
        comm=info.comm,
        user=info.user,
        run=first.run,
        run_name=whole.names.get(first.run, ""),
        system=owner.system,
        job=owner.job,
        step=owner.step,
        container=place.container,
        unit=place.unit,
        power_w=power_w,
        power_half_w=half_w,
        energy_j=energy_uj / UJ_PER_J,
        energy_half_j=used.half_j,
        kinds_j={kind: of_kind_uj / UJ_PER_J for kind, of_kind_uj in used.kinds_uj.items()},
        devices=used.devices,
        method=used.weakest,
        since_unix_s=unix_s(first.since_unix_s),
        ended=first.ended_s is not None,
        share=None,
        energy_share=None,
    )


def _used(rows: list[ProcessEnergy], parts: Mapping[str, Part], whole: Whole) -> Used:
    """All that is told by device, in one go: this is done for hundreds of processes a second."""
    kinds_uj: dict[str, int] = {}
    devices: list[ProcessDevice] = []
    facts, ranks, known, met = whole.devices, {0}, bool(parts), 0
    for row in rows:
        device = row.device.id
        kind, rank, power_w = facts.get(device) or (row.device.kind, LAST, None)
        energy_uj = row.context_uj + row.active_uj
        kinds_uj[kind] = kinds_uj.get(kind, 0) + energy_uj
        ranks.add(rank)
        if power_w is not None:
            known = True
            if device in parts:
                met, part = met + 1, parts[device]
                power_w = known_watts(part.context_w + part.active_w)
        devices.append(ProcessDevice(device, power_w, energy_uj / UJ_PER_J, half_joules(row.error_uj)))
    if met < len(parts):
        devices += _new(parts, {row.device.id for row in rows})
    return Used(kinds_uj, devices, METHODS[max(ranks)], energy_half_j(rows, len(kinds_uj), whole.scopes), known)


def _new(parts: Mapping[str, Part], known: Collection[str]) -> list[ProcessDevice]:
    """Devices that a process draws from for the first time."""
    return [
        ProcessDevice(device, known_watts(part_w(part)), 0.0, 0.0)
        for device, part in parts.items()
        if device not in known
    ]


def _half_w(parts: Mapping[str, Part], whole: Whole) -> float:
    if not parts:
        return 0.0
    if len({whole.scopes[device] for device in parts}) == len(parts):
        return known_watts(sqrt(sum([part.half_w * part.half_w for part in parts.values()])))
    return known_watts(combined([(whole.scopes[device], part.half_w) for device, part in parts.items()]))
