"""One look at the agent: a snapshot, the time, and the windows that tell of now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from aipower.model import SUMMED_KINDS, DeviceState, ProcessId, Snapshot
from aipower.site.history import Part, Window
from aipower.site.sources import Now, Scales, Sources

SLACK_S = 5.0
"""A window may be this much older than three intervals, and still tell of now."""
WINDOWS = 3

Key = tuple[int, int]


class View(Struct, frozen=True):
    """What documents are made of."""

    snapshot: Snapshot
    now: Now
    windows: Mapping[str, Window]
    """The newest of each device that is up, by id; those that are too old are left out."""
    scopes: Mapping[str, str]
    """Of all devices, by id: half-widths add up linearly within a scope, as all sensors in it may be off in the same
    direction. Between scopes they add in squares."""
    scales: Scales

    summed: Sequence[DeviceState]
    """The devices that make up the total."""
    summed_windows: Sequence[Window]
    """Those of these devices."""

    def total_w(self) -> float | None:
        """The mean power of the newest windows; None where there is none."""
        windows = self.summed_windows
        return sum([window.mean_w for window in windows]) if windows else None

    def total_uj(self) -> int:
        """The energy of the node since the counters began."""
        return sum([state.energy_uj for state in self.summed])


def look(sources: Sources, snapshot: Snapshot, now: Now) -> View:
    """What is known at `now`."""
    oldest_s = now.monotonic_s - oldest_window_s(sources.settings)
    found = sources.history.latest()
    up = (state.device.id for state in snapshot.devices if state.up)
    windows = {device: found[device] for device in up if device in found and found[device].end_s >= oldest_s}
    summed = [state for state in snapshot.devices if state.device.kind in SUMMED_KINDS]
    current = [windows[state.device.id] for state in summed if state.device.id in windows]
    return View(snapshot, now, windows, _scopes(snapshot, sources.scales), sources.scales, summed, current)


def _scopes(snapshot: Snapshot, scales: Scales) -> Mapping[str, str]:
    """Who has not been heard of is taken for one that nobody has calibrated."""
    devices = [state.device for state in snapshot.devices]
    return {device.id: scales.scope(device.id) or device.kind for device in devices}


def oldest_window_s(settings: Mapping[str, object]) -> float:
    """The age at which a window no longer tells of now."""
    intervals = (seconds(settings, name) for name in ("process_interval_s", "interval_s"))
    return WINDOWS * max(intervals) + SLACK_S


def seconds(settings: Mapping[str, object], name: str) -> float:
    """A setting that is a number of seconds; 0 where there is none of the name."""
    value = settings.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def key_of(process: ProcessId) -> Key:
    """What tells a process from others of this boot; a `ProcessId` takes longer to look up than all else here."""
    return process.pid, process.started_ticks


def spending(windows: Iterable[Window]) -> dict[Key, dict[str, Part]]:
    """What each process draws, by device."""
    found: dict[Key, dict[str, Part]] = {}
    for window in windows:
        device = window.device
        for process, part in window.parts.items():
            key = process.pid, process.started_ticks
            of_one = found.get(key)
            if of_one is None:
                found[key] = {device: part}
            else:
                of_one[device] = part
    return found


def part_w(part: Part) -> float:
    """All that a process draws of one device."""
    return part.context_w + part.active_w
