"""Where the energy of a window went: idle, context, active, unattributed, exactly."""

from __future__ import annotations

from collections.abc import Mapping

from aipower.attribution.baseline import Floor
from aipower.attribution.split import equal_parts, largest_remainder
from aipower.attribution.work import order
from aipower.model import Attribution, EnergyDelta, ProcessId, Usage


def without_usage(delta: EnergyDelta, floor: Floor) -> Attribution:
    """Where nothing is known of who worked: all that is not idle stays unattributed."""
    return Attribution(delta, floor.idle_uj, {}, {}, delta.energy_uj - floor.idle_uj)


def attribute(
    delta: EnergyDelta, usage: Usage, floor: Floor, weights: Mapping[ProcessId | None, float]
) -> Attribution:
    """The parts of `delta`; they sum to its energy to the microjoule.

    The energy of work goes by `weights`; where nobody has one, to the lone holder of a context, or to nobody.
    """
    work_uj = delta.energy_uj - floor.idle_uj - floor.context_uj
    context_uj, context_lost_uj = _context(floor.context_uj, usage)
    active_uj, active_lost_uj = _active(work_uj, weights or lone_holder(usage))
    return Attribution(delta, floor.idle_uj, context_uj, active_uj, context_lost_uj + active_lost_uj)


def lone_holder(usage: Usage) -> dict[ProcessId | None, float]:
    """The only process with a context: all that is not idle is its doing, seen by a sampler or not."""
    if len(usage.holders) == 1 and usage.unknown_holders == 0:
        return {next(iter(usage.holders)): 1.0}
    return {}


def _context(context_uj: int, usage: Usage) -> tuple[dict[ProcessId, int], int]:
    """The step in equal parts, its Shapley value; the parts of unknown holders are nobody's."""
    known = sorted(usage.holders, key=order)
    if not usage.unknown_holders:
        return (equal_parts(context_uj, known), 0) if known else ({}, context_uj)
    holders: dict[ProcessId | None, float] = {**dict.fromkeys(known, 1.0), None: float(usage.unknown_holders)}
    return _without_unknown(largest_remainder(context_uj, holders))


def _active(work_uj: int, weights: Mapping[ProcessId | None, float]) -> tuple[dict[ProcessId, int], int]:
    if not any(weight > 0 for weight in weights.values()):
        return {}, work_uj
    return _without_unknown(largest_remainder(work_uj, weights))


def _without_unknown(parts: dict[ProcessId | None, int]) -> tuple[dict[ProcessId, int], int]:
    unknown_uj = parts.pop(None, 0)
    return {process: part for process, part in parts.items() if process is not None}, unknown_uj
