"""Where the energy of a window went: idle, context, active, unattributed, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from msgspec import Struct

from aipower.attribution.baseline import Floor
from aipower.attribution.split import equal_parts, largest_remainder
from aipower.attribution.window import Window
from aipower.model import Attribution, EnergyDelta, ProcessId, Usage


def without_usage(delta: EnergyDelta, floor: Floor) -> Attribution:
    """Where nothing is known of who worked: all that is not idle stays unattributed."""
    return Attribution(delta, floor.idle_uj, {}, {}, delta.energy_uj - floor.idle_uj)


class Parts(Struct, frozen=True, gc=False):
    """Those of one window in microjoules, and who got something."""

    idle_uj: int
    context_uj: dict[ProcessId, int]
    active_uj: dict[ProcessId, int]
    nobody_uj: int
    processes: tuple[ProcessId, ...]


def parts_of(window: Window, idle_uj: int, context_uj: int, weights: Mapping[ProcessId | None, float]) -> Parts:
    """The parts of a window of which so much is idle and the contexts'; they sum to its energy to the microjoule.

    The energy of work goes by `weights`; where nobody has one, to the lone holder of a context, or to nobody.
    """
    usage = window.usage
    contexts_uj, context_lost_uj = _context(context_uj, window.holders, usage.unknown_holders)
    work_uj = window.delta.energy_uj - idle_uj - context_uj
    active_uj, active_lost_uj = _active(work_uj, weights or lone_holder(usage))
    processes = tuple({**contexts_uj, **active_uj})
    return Parts(idle_uj, contexts_uj, active_uj, context_lost_uj + active_lost_uj, processes)


def lone_holder(usage: Usage) -> dict[ProcessId | None, float]:
    """The only process with a context: all that is not idle is its doing, seen by a sampler or not."""
    if len(usage.holders) == 1 and usage.unknown_holders == 0:
        return {next(iter(usage.holders)): 1.0}
    return {}


def _context(context_uj: int, known: Sequence[ProcessId], unknown: int) -> tuple[dict[ProcessId, int], int]:
    """The step in equal parts, its Shapley value; the parts of unknown holders are nobody's."""
    if not unknown:
        return (equal_parts(context_uj, known), 0) if known else ({}, context_uj)
    holders: dict[ProcessId | None, float] = {**dict.fromkeys(known, 1.0), None: float(unknown)}
    return _without_unknown(largest_remainder(context_uj, holders))


def _active(work_uj: int, weights: Mapping[ProcessId | None, float]) -> tuple[dict[ProcessId, int], int]:
    if max(weights.values(), default=0.0) <= 0:
        return {}, work_uj
    return _without_unknown(largest_remainder(work_uj, weights))


def _without_unknown(parts: dict[ProcessId | None, int]) -> tuple[dict[ProcessId, int], int]:
    unknown_uj = parts.pop(None, 0)
    return cast("dict[ProcessId, int]", parts), unknown_uj
