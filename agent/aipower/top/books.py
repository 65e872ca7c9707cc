"""Energies and watts by process and by account, out of counters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.model import DeviceState, Kind, ProcessEnergy, ProcessInfo
from aipower.top.doubt import since, together
from aipower.top.look import Key
from aipower.top.rows import Account, ProcessRow, Sums
from aipower.top.track import Point
from aipower.top.watch import Base, Watch, key_of


def nothing_known(_info: ProcessInfo) -> str:
    """Nothing but what the counters say."""
    return ""


class Lore(Struct, frozen=True):
    """What is known of processes beside the counters; empty words where it is not known."""

    command_of: Callable[[ProcessInfo], str] = nothing_known
    """The full command line."""
    run_of: Callable[[ProcessInfo], str] = nothing_known
    """The name of the run, where the counters do not say."""


class _Part(Struct, frozen=True):
    """What one process used of one device since the last reset."""

    row: ProcessEnergy
    energy_uj: int
    half_uj: float | None


class Books:
    """Energies and watts of the wanted devices, by process and by account."""

    def __init__(self, watch: Watch, base: Base, wanted: frozenset[str], lore: Lore) -> None:
        assert watch.look is not None  # noqa: S101 - `picture_of` has looked
        self._look, self._base, self._wanted, self._lore = watch.look, base, wanted, lore
        self._ends = {device: track.ends() for device, track in watch.tracks.items()}
        self._parts: dict[Key, list[_Part]] = defaultdict(list)
        self._named_uj: dict[str, int] = defaultdict(int)
        self._others_uj: dict[str, int] = {}
        for row in self._look.snapshot.processes:
            self._take(row, key_of(row))
        self._names = {run.run: run.name for run in self._look.snapshot.runs if run.name}
        self._work_uj = sum(self._of_state(state, _work_uj) for state in self._states())

    def named_uj(self, device: str) -> int:
        """What the processes that are shown used of `device`."""
        return self._named_uj[device]

    def processes(self) -> tuple[ProcessRow, ...]:
        """One row for each process that has accounts of the wanted devices, but for those that ended before."""
        found = (self._process(key, parts) for key, parts in self._parts.items())
        return tuple(row for row in found if row.sums.energy_uj or not row.ended)

    def accounts(self, processes: Iterable[ProcessRow]) -> tuple[Account, ...]:
        """What is none of `processes`, which are all that there are: with them they sum to the total."""
        states = list(self._states())
        idle = self._account("idle", {s.device.id: self._of_state(s, _idle_uj) for s in states}, _idle_of)
        lost_uj = {s.device.id: self._of_state(s, _unattributed_uj) for s in states}
        lost = self._account("unattributed", lost_uj, _unattributed_of)
        other = self._account("other", self._others_uj, lambda point: point.other_uj)
        ended_uj = {s.device.id: self._ended_uj(s) for s in states}
        known_w = [other.sums.power_w, *(row.sums.power_w for row in processes)]
        work_w = self._watts(lost_uj, lambda point: _work_uj(point.state))
        ended_w = None if work_w is None else max(0.0, work_w - sum(w for w in known_w if w is not None))
        ended = Account("ended", replace(self._account("", ended_uj, None).sums, power_w=ended_w))
        return (idle, lost, *(account for account in (other, ended) if account.sums.energy_uj))

    def _take(self, row: ProcessEnergy, key: Key | None) -> None:
        """Compare `row` with where its counter stood; one that is lower now has begun anew since."""
        zero = self._base.parts.get((row.device.id, key))
        used_uj = row.context_uj + row.active_uj
        if zero is not None and zero.context_uj + zero.active_uj > used_uj:
            zero = None
        zero_uj = zero.context_uj + zero.active_uj if zero else 0
        if key is not None:
            self._named_uj[row.device.id] += used_uj - zero_uj
            if row.device.id in self._wanted:
                self._parts[key].append(_Part(row, used_uj - zero_uj, since(row, zero)))
        elif row.device.id in self._wanted:
            self._others_uj[row.device.id] = used_uj - zero_uj

    def _ended_uj(self, state: DeviceState) -> int:
        """Work of processes that are not shown any more."""
        device = state.device.id
        return max(0, self._of_state(state, _work_uj) - self._named_uj[device] - self._others_uj.get(device, 0))

    def total(self) -> Account:
        """All of the wanted devices."""
        return self._account(
            "total", {s.device.id: self._of_state(s, _energy_uj) for s in self._states()}, lambda p: p.state.energy_uj
        )

    def _states(self) -> Iterable[DeviceState]:
        return (state for state in self._look.snapshot.devices if state.device.id in self._wanted)

    def _kind(self, device: str) -> Kind:
        return next(state.device.kind for state in self._look.snapshot.devices if state.device.id == device)

    def _of_state(self, state: DeviceState, value: Callable[[DeviceState], int]) -> int:
        zero = self._base.devices.get(state.device.id)
        return value(state) - (value(zero) if zero else 0)

    def _process(self, key: Key, parts: Sequence[_Part]) -> ProcessRow:
        info = parts[0].row.info
        assert info is not None  # noqa: S101 - rows with a key have one
        kinds_uj: dict[Kind, int] = {}
        for part in parts:
            kind = part.row.device.kind
            kinds_uj[kind] = kinds_uj.get(kind, 0) + part.energy_uj
        energy_uj = sum(kinds_uj.values())
        power_w = self._watts({part.row.device.id for part in parts}, lambda point: point.parts_uj.get(key, 0))
        return ProcessRow(
            info.id.pid,
            info.user,
            self._names.get(key[3], key[3]) or self._lore.run_of(info),
            info.comm,
            self._lore.command_of(info) or info.comm,
            Sums(power_w, energy_uj, kinds_uj),
            energy_uj / self._work_uj if self._work_uj > 0 else None,
            together((part.row.device.kind, part.half_uj) for part in parts),
            any((info.id, part.row.device.id) in self._look.indistinct for part in parts),
            all(part.row.ended_s is not None for part in parts),
        )

    def _account(self, name: str, energies_uj: Mapping[str, int], value: Callable[[Point], int] | None) -> Account:
        kinds_uj: dict[Kind, int] = {}
        for device, energy_uj in energies_uj.items():
            kind = self._kind(device)
            kinds_uj[kind] = kinds_uj.get(kind, 0) + energy_uj
        power_w = None if value is None else self._watts(energies_uj, value)
        return Account(name, Sums(power_w, sum(kinds_uj.values()), kinds_uj))

    def _watts(self, devices: Iterable[str], value: Callable[[Point], int]) -> float | None:
        """Mean power of the last seconds over `devices`; None where it is known of none of them.

        A value that has fallen belongs to a counter that began anew in between.
        """
        found_w: list[float] = []
        for device in devices:
            ends = self._ends.get(device)
            if ends is None:
                continue
            start, end = ends
            before_uj, after_uj = value(start), value(end)
            used_uj = after_uj - before_uj if after_uj >= before_uj else after_uj
            found_w.append(used_uj / 1e6 / (end.at_s - start.at_s))
        return sum(found_w) if found_w else None


def _energy_uj(state: DeviceState) -> int:
    return state.energy_uj


def _idle_uj(state: DeviceState) -> int:
    return state.idle_uj


def _unattributed_uj(state: DeviceState) -> int:
    return state.unattributed_uj


def _work_uj(state: DeviceState) -> int:
    return state.context_uj + state.active_uj


def _idle_of(point: Point) -> int:
    return point.state.idle_uj


def _unattributed_of(point: Point) -> int:
    return point.state.unattributed_uj
