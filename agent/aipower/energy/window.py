"""Cutting energy at an instant, and joining it over a window, without losing a microjoule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aipower.model import EnergyDelta, Method


def energy_before_uj(delta: EnergyDelta, at_s: float, before_w: float | None, after_w: float | None) -> int:
    """How much of `delta` fell before `at_s`, an instant inside it, in microjoules.

    The power on a side where it is known (`before_w`, `after_w`) is taken as flat up to the cut; what does not fit is
    spread evenly. With neither side known the delta is cut in proportion to time, whose bias is up to dP*T/4.
    """
    left_s, right_s = at_s - delta.start_s, delta.end_s - at_s
    total = float(delta.energy_uj)
    if before_w is None and after_w is None:
        left = total * left_s / delta.span_s
    elif after_w is None:
        left = (before_w or 0.0) * left_s * 1e6
    elif before_w is None:
        left = total - after_w * right_s * 1e6
    else:
        rest = total - (before_w * left_s + after_w * right_s) * 1e6
        left = before_w * left_s * 1e6 + rest * left_s / delta.span_s
    return round(min(max(left, 0.0), total))


def starting_at(delta: EnergyDelta, at_s: float, before_w: float | None, after_w: float | None) -> EnergyDelta | None:
    """The part of `delta` after `at_s`; None if there is none."""
    if delta.start_s >= at_s:
        return delta
    if delta.end_s <= at_s:
        return None
    before_uj = energy_before_uj(delta, at_s, before_w, after_w)
    return replace(delta, start_s=at_s, energy_uj=delta.energy_uj - before_uj)


def ending_at(delta: EnergyDelta, at_s: float, before_w: float | None, after_w: float | None) -> EnergyDelta | None:
    """The part of `delta` before `at_s`; None if there is none."""
    if delta.end_s <= at_s:
        return delta
    if delta.start_s >= at_s:
        return None
    return replace(delta, end_s=at_s, energy_uj=energy_before_uj(delta, at_s, before_w, after_w))


def join(deltas: Sequence[EnergyDelta]) -> EnergyDelta:
    """One delta over all of `deltas`, which are of one device and in order; `counter` only if all of them are."""
    first, last = deltas[0], deltas[-1]
    method: Method = "counter" if all(delta.method == "counter" for delta in deltas) else "integrated"
    energy_uj = sum(delta.energy_uj for delta in deltas)
    return EnergyDelta(first.device, first.start_s, last.end_s, energy_uj, method)


def mean_w(delta: EnergyDelta) -> float:
    """Mean power of a delta in watts."""
    return delta.energy_uj / 1e6 / delta.span_s
