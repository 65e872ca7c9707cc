"""From what was seen to the rows of the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aipower.model import SUMMED_KINDS, Device, DeviceState, Kind, Unavailable
from aipower.top.books import Books, Lore
from aipower.top.look import Look
from aipower.top.rows import DeviceRow, Picture
from aipower.top.watch import Base, Watch

SIMULATED = "simulated"
"""What simulated sensors call their driver."""
NOT_FOUND = "no sensor of it is read"
ASK_DOCTOR = "see `aipower doctor`"


NO_LORE = Lore()


def picture_of(watch: Watch, scope: str | None, *, whole: bool = False, lore: Lore = NO_LORE) -> Picture:
    """The rows of what `watch` knows; call it once there is a look.

    `scope` is the id of the one device whose energies are wanted, None for all that are summed. With `whole` energies
    are since the counters' own beginning instead of since the last reset.

    Raises:
        ValueError: There is no look yet.
    """
    if watch.look is None:
        raise ValueError("there is nothing to show before the first look")
    base, snapshot = Base() if whole else watch.base, watch.look.snapshot
    wanted = frozenset(s.device.id for s in snapshot.devices if _is_wanted(s.device, scope))
    books = Books(watch, base, wanted, lore)
    total = books.total() if wanted else None
    devices = tuple(_device_row(state, watch, base, books) for state in snapshot.devices)
    processes = books.processes()
    begun_s = (snapshot.since_unix_s or watch.since_unix_s) if whole else watch.since_unix_s
    return Picture(
        watch.look.at_s,
        snapshot.at_unix_s,
        begun_s,
        tuple(sorted(devices, key=_place)),
        processes,
        books.accounts(processes) if wanted else (),
        total,
        _by_kind(devices),
        _missing(watch.look, [state.device.kind for state in snapshot.devices]),
        any(state.facts.driver == SIMULATED for state in snapshot.devices),
        watch.note,
        tuple(s.device for s in snapshot.devices if s.up and _is_silent(watch, s.device)),
    )


def _is_silent(watch: Watch, device: Device) -> bool:
    track = watch.tracks.get(device.id)
    return track is None or track.ends() is None


def _is_wanted(device: Device, scope: str | None) -> bool:
    return device.kind in SUMMED_KINDS if scope is None else device.id == scope


def _place(row: DeviceRow) -> tuple[int, int, str]:
    order: tuple[Kind, ...] = ("gpu", "cpu", "dram", "module", "psys", "node")
    index = row.device.index
    return order.index(row.device.kind), int(index) if index.isdecimal() else 0, index


def _by_kind(rows: Iterable[DeviceRow]) -> Mapping[Kind, float]:
    sums: dict[Kind, float] = {}
    for row in rows:
        if row.summed and row.power_w is not None:
            sums[row.device.kind] = sums.get(row.device.kind, 0.0) + row.power_w
    return sums


def _missing(look: Look, there: Sequence[Kind]) -> tuple[Unavailable, ...]:
    """What is not measured: as the source tells, and the kinds of which it tells nothing at all."""
    told = {missing.kind for missing in look.unavailable}
    silent: list[Kind] = [kind for kind in SUMMED_KINDS if kind not in there and kind not in told]
    if "cpu" in told and "dram" in silent:
        silent.remove("dram")  # one driver reads both
    return (*look.unavailable, *(Unavailable(kind.upper(), kind, NOT_FOUND, ASK_DOCTOR) for kind in silent))


def _device_row(state: DeviceState, watch: Watch, base: Base, books: Books) -> DeviceRow:
    device, zero = state.device, base.devices.get(state.device.id)
    track = watch.tracks.get(device.id)
    limit_w = watch.look.limits_w.get(device.id) if watch.look else None
    idle_uj = state.idle_uj - (zero.idle_uj if zero else 0)
    unattributed_uj = state.unattributed_uj - (zero.unattributed_uj if zero else 0)
    processes_uj = books.named_uj(device.id)
    energy_uj = state.energy_uj - (zero.energy_uj if zero else 0)
    return DeviceRow(
        device,
        state.up,
        state.power_w if state.up else None,
        limit_w or watch.peaks_w.get(device.id),
        limit_w is not None,
        track.mean_w() if track else None,
        energy_uj,
        idle_uj,
        processes_uj,
        energy_uj - idle_uj - unattributed_uj - processes_uj,
        unattributed_uj,
        state.facts.method,
        _new_faults(device.id, watch, base),
    )


def _new_faults(device: str, watch: Watch, base: Base) -> tuple[tuple[str, int], ...]:
    counts = watch.look.snapshot.fault_counts if watch.look else {}
    new = (
        (reason, n - base.faults.get((whose, reason), 0)) for (whose, reason), n in counts.items() if whose == device
    )
    return tuple(sorted((reason, n) for reason, n in new if n > 0))
