"""Cutting energy at an instant, and joining it over a window, without losing a microjoule."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from aipower.energy.part import proportion_uj
from aipower.model import Device, EnergyDelta, Method


def integrated(device: Device, start_s: float, end_s: float, energy_uj: int) -> Sequence[EnergyDelta]:
    """One part of an integral; none where it would have no length."""
    return (EnergyDelta(device, start_s, end_s, energy_uj, "integrated"),) if end_s > start_s else ()


def starting_at(delta: EnergyDelta, at_s: float) -> EnergyDelta | None:
    """The part of `delta` after `at_s`, in proportion to time; None if there is none."""
    if delta.start_s >= at_s:
        return delta
    if delta.end_s <= at_s:
        return None
    before_uj = proportion_uj(delta.energy_uj, at_s - delta.start_s, delta.end_s - at_s)
    return EnergyDelta(delta.device, at_s, delta.end_s, delta.energy_uj - before_uj, delta.method)


def ending_at(delta: EnergyDelta, at_s: float) -> EnergyDelta | None:
    """The part of `delta` before `at_s`, in proportion to time; None if there is none."""
    if delta.end_s <= at_s:
        return delta
    if delta.start_s >= at_s:
        return None
    before_uj = proportion_uj(delta.energy_uj, at_s - delta.start_s, delta.end_s - at_s)
    return EnergyDelta(delta.device, delta.start_s, at_s, before_uj, delta.method)


def retimed(deltas: Sequence[EnergyDelta], steps: Sequence[EnergyDelta]) -> list[EnergyDelta]:
    """`deltas`, of which the last are the same as the last of `steps`, with the better known instants of those."""
    count = 0
    for delta, step in zip(reversed(deltas), reversed(steps), strict=False):
        if delta.method != "counter" or delta.energy_uj != step.energy_uj:
            break
        count += 1
    timed = list(deltas)
    for number in range(1, count + 1):
        place, end_s = len(timed) - number, steps[-number].end_s
        start_s = steps[-number].start_s if place > 0 else timed[place].start_s
        if not timed[max(place - 1, 0)].start_s <= start_s < end_s:
            return list(deltas)
        timed[place] = replace(timed[place], start_s=start_s, end_s=end_s)
    first = len(timed) - count
    if count and first > 0 and timed[first - 1].start_s < timed[first].start_s:
        timed[first - 1] = replace(timed[first - 1], end_s=timed[first].start_s)
    return timed


def join(deltas: Sequence[EnergyDelta]) -> EnergyDelta:
    """One delta over all of `deltas`, which are of one device and in order; `counter` only if all of them are."""
    first, last = deltas[0], deltas[-1]
    if first is last:
        return first
    methods = {delta.method for delta in deltas}
    method: Method = "counter" if methods == {"counter"} else "integrated"
    energy_uj = sum([delta.energy_uj for delta in deltas])
    return EnergyDelta(first.device, first.start_s, last.end_s, energy_uj, method)


def within_uj(parts: Sequence[EnergyDelta], start_s: float, end_s: float) -> int:
    """The energy of `parts` from `start_s` to `end_s`, in proportion to time at both."""
    inner = [starting_at(part, start_s) for part in parts]
    cuts = [ending_at(part, end_s) for part in inner if part is not None]
    return sum(cut.energy_uj for cut in cuts if cut is not None)
