"""Cutting energy at an instant, and joining it over a window, without losing a microjoule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aipower.model import EnergyDelta, Method

TIMING_S = 0.005
"""Instants of publication are known about so well: a rest that this explains is no sign of other power."""


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
        left = _with_both_known(delta, left_s, before_w, after_w)
    return min(round(min(max(left, 0.0), total)), delta.energy_uj)


def _with_both_known(delta: EnergyDelta, left_s: float, before_w: float, after_w: float) -> float:
    """A rest that the timing explains goes to the side of more power, where an error of time costs most."""
    rest = delta.energy_uj - (before_w * left_s + after_w * (delta.span_s - left_s)) * 1e6
    slack = TIMING_S * max(before_w, after_w) * 1e6
    timing = min(max(rest, -slack), slack)
    left = before_w * left_s * 1e6 + (rest - timing) * left_s / delta.span_s
    return left + timing if before_w > after_w else left


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
    method: Method = "counter" if all(delta.method == "counter" for delta in deltas) else "integrated"
    energy_uj = sum(delta.energy_uj for delta in deltas)
    return EnergyDelta(first.device, first.start_s, last.end_s, energy_uj, method)


def mean_w(delta: EnergyDelta) -> float:
    """Mean power of a delta in watts."""
    return delta.energy_uj / 1e6 / delta.span_s
