"""The devices of the snapshot, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence

from aipower.model import SUMMED_KINDS, DeviceState
from aipower.site.history import Window
from aipower.site.sources import Scales
from aipower_exporters.api.documents.common import EnergyParts, PowerParts
from aipower_exporters.api.documents.device import Device
from aipower_exporters.api.documents.device import Window as WindowDocument
from aipower_exporters.api.documents.snapshot import Total
from aipower_exporters.api.numbers import combined, joules, known_watts, rounded, unix_s, watts
from aipower_exporters.api.view import View
from aipower_exporters.api.wall import offset_s


def devices(view: View, scales: Scales) -> list[Device]:
    """All devices, those that are down too."""
    return [_device(state, view, scales) for state in view.snapshot.devices]


def total(view: View, scales: Scales) -> Total:
    """The devices of the summed kinds together."""
    states, windows = view.summed, view.summed_windows
    powers_w = [state.power_w for state in states if state.up and state.power_w is not None]
    return Total(
        power_w=watts(sum(powers_w)) if powers_w else None,
        power_half_w=watts(_power_half_w(view, scales)) if powers_w else None,
        window_w=watts(view.total_w()),
        energy_j=joules(view.total_uj()),
        energy_half_j=rounded(energy_half_j(view, scales), 6),
        components_j=_energy_parts(states),
        components_w=power_parts(windows) if windows else None,
        devices=len(states),
        up=sum(state.up for state in states),
    )


def energy_half_j(view: View, scales: Scales) -> float | None:
    """Half-width of the node's energy since the counters began; None where a sensor's scale is not known."""
    span_s, halves = _span_s(view), []
    for state in view.summed:
        half_j = scales.energy_half_j(state.device.id, joules(state.energy_uj), span_s)
        if half_j is None:
            return None
        halves.append((view.scopes[state.device.id], half_j))
    return combined(halves)


def power_parts(windows: Sequence[Window]) -> PowerParts:
    """Where the power of windows went."""
    return PowerParts(
        known_watts(sum([window.idle_w for window in windows])),
        known_watts(sum([window.context_w for window in windows])),
        known_watts(sum([window.active_w for window in windows])),
        known_watts(sum([window.unattributed_w for window in windows])),
    )


def _power_half_w(view: View, scales: Scales) -> float | None:
    halves = []
    for state in view.summed:
        if state.up and state.power_w is not None:
            half_w = scales.power_half_w(state.device.id, state.power_w)
            if half_w is None:
                return None
            halves.append((view.scopes[state.device.id], half_w))
    return combined(halves)


def _span_s(view: View) -> float:
    """For how long the counters have counted."""
    since_unix_s = view.snapshot.since_unix_s
    return 0.0 if since_unix_s is None else max(0.0, view.snapshot.at_unix_s - since_unix_s)


def _energy_parts(states: Sequence[DeviceState]) -> EnergyParts:
    return EnergyParts(
        joules(sum([state.idle_uj for state in states])),
        joules(sum([state.context_uj for state in states])),
        joules(sum([state.active_uj for state in states])),
        joules(sum([state.unattributed_uj for state in states])),
    )


def _device(state: DeviceState, view: View, scales: Scales) -> Device:
    device, facts = state.device, state.facts
    power_w = state.power_w if state.up else None
    window = view.windows.get(device.id)
    energy_j = joules(state.energy_uj)
    return Device(
        id=device.id,
        kind=device.kind,
        name=device.name,
        index=device.index,
        parent=device.parent,
        summed=device.kind in SUMMED_KINDS,
        uuid=facts.uuid,
        driver=facts.driver,
        method=facts.method,
        up=state.up,
        power_w=watts(power_w),
        power_half_w=None if watts(power_w) is None else watts(scales.power_half_w(device.id, power_w or 0.0)),
        power_limit_w=watts(state.power_limit_w),
        idle_w=watts(state.idle_w),
        energy_j=energy_j,
        energy_half_j=rounded(scales.energy_half_j(device.id, energy_j, _span_s(view)), 6),
        components_j=_energy_parts((state,)),
        seen_unix_s=unix_s(state.seen_unix_s) or 0.0,
        window=None if window is None else _window(window, view),
    )


def _window(window: Window, view: View) -> WindowDocument:
    shift_s = offset_s(view.now)
    return WindowDocument(
        unix_s(window.start_s + shift_s) or 0.0,
        unix_s(window.end_s + shift_s) or 0.0,
        known_watts(window.mean_w),
        known_watts(window.half_w),
        power_parts((window,)),
    )
