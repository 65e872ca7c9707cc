"""All that was seen since the watch began: the newest counters, where they stood at the last reset, watts now."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from aipower.model import DeviceState, ProcessEnergy, Snapshot
from aipower.top.look import Key, Look
from aipower.top.track import Point, Track

GAP_S = 15.0
"""Looks further apart than this have nothing to do with each other's watts."""


def key_of(row: ProcessEnergy) -> Key | None:
    """The key of a process; None for the account of those without one."""
    return None if row.info is None else (row.info.id.pid, row.info.comm, row.info.user, row.run)


class Base(Struct, frozen=True):
    """Where counters stood when joules were last set to 0; nothing in it means that they count from their own 0."""

    devices: Mapping[str, DeviceState] = field(default_factory=dict)
    parts: Mapping[tuple[str, Key | None], ProcessEnergy] = field(default_factory=dict)
    """By device id and process; None is the account of those without one."""
    faults: Mapping[tuple[str, str], int] = field(default_factory=dict)


def base_of(snapshot: Snapshot) -> Base:
    """Joules are 0 now."""
    return Base(
        {state.device.id: state for state in snapshot.devices},
        {(row.device.id, key_of(row)): row for row in snapshot.processes},
        snapshot.fault_counts,
    )


class Watch:
    """Takes in looks; `picture.picture_of` makes rows of what it knows."""

    def __init__(self) -> None:
        self.look: Look | None = None
        """The newest."""
        self.base = Base()
        self.since_unix_s = 0.0
        """When joules were last set to 0."""
        self.tracks: dict[str, Track] = {}
        self.peaks_w: dict[str, float] = {}
        """The highest power seen of each device."""
        self.note = ""
        """What has happened to the counters, for people."""

    def add(self, look: Look) -> None:
        """Take in a look. Where counters have begun anew so do the joules: nothing ever falls below 0."""
        before, self.look = self.look, look
        if before is None:
            self.reset()
        elif _began_anew(before.snapshot, look.snapshot):
            self.tracks.clear()
            self.base, self.since_unix_s = Base(), look.snapshot.at_unix_s
            self.note = "counters began anew: joules are counted from then on"
        elif not 0 <= look.at_s - before.at_s <= GAP_S:
            self._forget()
        self._follow(look)

    def reset(self) -> None:
        """Count joules, means and faults from now on."""
        if self.look is None:
            return
        self.base, self.since_unix_s = base_of(self.look.snapshot), self.look.snapshot.at_unix_s
        self.note = ""
        for track in self.tracks.values():
            track.restart()

    def _forget(self) -> None:
        for track in self.tracks.values():
            track.forget()

    def _follow(self, look: Look) -> None:
        parts: dict[str, dict[Key, int]] = {}
        others: dict[str, int] = {}
        for row in look.snapshot.processes:
            used_uj, key = row.context_uj + row.active_uj, key_of(row)
            if key is None:
                others[row.device.id] = used_uj
            else:
                mine = parts.setdefault(row.device.id, {})
                mine[key] = mine.get(key, 0) + used_uj
        for state in look.snapshot.devices:
            device = state.device.id
            point = Point(_energy_at_s(state, look.at_s), state, parts.get(device, {}), others.get(device, 0))
            self.tracks.setdefault(device, Track()).add(point, look.at_s, exact=look.exact)
            if state.power_w is not None:
                self.peaks_w[device] = max(self.peaks_w.get(device, 0.0), state.power_w)


def _energy_at_s(state: DeviceState, look_s: float) -> float:
    """Until when the account's energy was found: where a sensor is read here that is known to the publication."""
    position = state.position
    return look_s if position is None or position.pending_uj else position.at_s


def _began_anew(before: Snapshot, now: Snapshot) -> bool:
    """True where an agent has lost its counters, or another one answers."""
    if before.since_unix_s != now.since_unix_s:
        return True
    then = {state.device.id: state.energy_uj for state in before.devices}
    return any(state.energy_uj < then.get(state.device.id, 0) for state in now.devices)
