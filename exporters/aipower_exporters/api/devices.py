"""The devices of the snapshot, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from aipower.model import SUMMED_KINDS, DeviceState
from aipower.site.history import Window
from aipower.site.sources import Scales
from aipower_exporters.api.documents.common import EnergyParts, PowerParts
from aipower_exporters.api.documents.device import Device
from aipower_exporters.api.documents.device import Window as WindowDocument
from aipower_exporters.api.documents.snapshot import Total
from aipower_exporters.api.numbers import combined, fine_joules, joules, known_watts, unix_s, watts
from aipower_exporters.api.view import View
from aipower_exporters.api.wall import offset_s


class Halves(Struct, frozen=True):
    """Half-widths of the 95 % intervals of one device; None where they are not known."""

    power_w: float | None
    energy_j: float | None


def halves(view: View, scales: Scales) -> Mapping[str, Halves]:
    """Those of all devices, by id."""
    span_s = _span_s(view)
    return {state.device.id: _halves(state, span_s, scales) for state in view.snapshot.devices}


def devices(view: View, known: Mapping[str, Halves]) -> list[Device]:
    """All devices, those that are down too."""
    shift_s = offset_s(view.now)
    return [_device(state, view, known[state.device.id], shift_s) for state in view.snapshot.devices]


def total(view: View, known: Mapping[str, Halves]) -> Total:
    """The devices of the summed kinds together."""
    states, windows = view.summed, view.summed_windows
    powers_w = {state.device.id: state.power_w for state in states if state.up and state.power_w is not None}
    return Total(
        power_w=watts(sum(powers_w.values())) if powers_w else None,
        power_half_w=watts(_together(view, {device: known[device].power_w for device in powers_w}))
        if powers_w
        else None,
        window_w=watts(view.total_w()),
        energy_j=joules(view.total_uj()),
        energy_half_j=fine_joules(
            _together(view, {state.device.id: known[state.device.id].energy_j for state in states})
        ),
        components_j=_energy_parts(states),
        components_w=power_parts(windows) if windows else None,
        devices=len(states),
        up=sum([state.up for state in states]),
    )


def power_parts(windows: Sequence[Window]) -> PowerParts:
    """Where the power of windows went."""
    return PowerParts(
        known_watts(sum([window.idle_w for window in windows])),
        known_watts(sum([window.context_w for window in windows])),
        known_watts(sum([window.active_w for window in windows])),
        known_watts(sum([window.unattributed_w for window in windows])),
    )


def _halves(state: DeviceState, span_s: float, scales: Scales) -> Halves:
    power_w, device = state.power_w if state.up else None, state.device.id
    return Halves(
        None if power_w is None else scales.power_half_w(device, power_w),
        scales.energy_half_j(device, joules(state.energy_uj), span_s),
    )


def _together(view: View, values: Mapping[str, float | None]) -> float | None:
    """The half-width of a sum over devices."""
    known = [(view.scopes[device], half) for device, half in values.items() if half is not None]
    return combined(known) if len(known) == len(values) else None


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


def _device(state: DeviceState, view: View, known: Halves, shift_s: float) -> Device:
    device, facts, window = state.device, state.facts, view.windows.get(state.device.id)
    power_w = watts(state.power_w) if state.up else None
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
        power_w=power_w,
        power_half_w=None if power_w is None else watts(known.power_w),
        power_limit_w=watts(state.power_limit_w),
        idle_w=watts(state.idle_w),
        energy_j=joules(state.energy_uj),
        energy_half_j=fine_joules(known.energy_j),
        components_j=EnergyParts(
            joules(state.idle_uj), joules(state.context_uj), joules(state.active_uj), joules(state.unattributed_uj)
        ),
        seen_unix_s=unix_s(state.seen_unix_s) or 0.0,
        window=None if window is None else _window(window, shift_s),
    )


def _window(window: Window, shift_s: float) -> WindowDocument:
    return WindowDocument(
        unix_s(window.start_s + shift_s) or 0.0,
        unix_s(window.end_s + shift_s) or 0.0,
        known_watts(window.mean_w),
        known_watts(window.half_w),
        PowerParts(
            known_watts(window.idle_w),
            known_watts(window.context_w),
            known_watts(window.active_w),
            known_watts(window.unattributed_w),
        ),
    )
