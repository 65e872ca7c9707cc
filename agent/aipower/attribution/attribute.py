"""Where the energy of a window went: idle, context, active, unattributed, exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping

from aipower.attribution.active import ActiveModel, Shares
from aipower.attribution.baseline import Floor
from aipower.attribution.split import largest_remainder
from aipower.model import Attribution, EnergyDelta, ProcessId, Usage


def attribute(delta: EnergyDelta, usage: Usage | None, floor: Floor, model: ActiveModel) -> Attribution:
    """The parts of `delta`; they sum to its energy to the microjoule.

    Without `usage` nothing is known of who worked: all that is not idle stays unattributed.
    """
    work_uj = delta.energy_uj - floor.idle_uj - floor.context_uj
    if usage is None:
        return Attribution(delta, floor.idle_uj, {}, {}, work_uj + floor.context_uj)
    context_uj, context_lost_uj = _context(floor.context_uj, usage)
    shares = model.shares(usage)
    active_uj, active_lost_uj = _active(work_uj, shares)
    return Attribution(
        delta,
        floor.idle_uj,
        context_uj,
        active_uj,
        context_lost_uj + active_lost_uj,
        {process: (work_uj * se) ** 2 for process, se in shares.sampling_se.items()},
        _systematic_uj(work_uj, floor.idle_se_uj, usage, shares),
    )


def _systematic_uj(work_uj: int, idle_se_uj: float, usage: Usage, shares: Shares) -> dict[ProcessId, float]:
    """The error of the split and that of the idle part, in quadrature: they come from different sources."""
    errors_uj = {process: work_uj * se for process, se in shares.systematic_se.items()}
    if idle_se_uj > 0:
        for process, share in _rest_shares(usage, shares).items():
            errors_uj[process] = math.hypot(errors_uj.get(process, 0.0), share * idle_se_uj)
    return errors_uj


def _rest_shares(usage: Usage, shares: Shares) -> dict[ProcessId, float]:
    """Who would gain what is not idle after all: those who work, else those who hold."""
    total = sum(shares.weights.values())
    if total > 0:
        return {process: weight / total for process, weight in shares.weights.items() if process is not None}
    holders = len(usage.holders) + usage.unknown_holders
    return dict.fromkeys(usage.holders, 1 / holders) if holders else {}


def _context(context_uj: int, usage: Usage) -> tuple[dict[ProcessId, int], int]:
    """The step in equal parts, its Shapley value; the parts of unknown holders are nobody's."""
    holders: dict[ProcessId | None, float] = {}
    for holder in sorted(usage.holders, key=_order):
        holders[holder] = 1.0
    if usage.unknown_holders:
        holders[None] = float(usage.unknown_holders)
    if not holders:
        return {}, context_uj
    return _without_unknown(largest_remainder(context_uj, holders))


def _active(work_uj: int, shares: Shares) -> tuple[dict[ProcessId, int], int]:
    if not any(weight > 0 for weight in shares.weights.values()):
        return {}, work_uj
    return _without_unknown(largest_remainder(work_uj, shares.weights))


def _without_unknown(parts: Mapping[ProcessId | None, int]) -> tuple[dict[ProcessId, int], int]:
    known = {process: part for process, part in parts.items() if process is not None}
    return known, parts.get(None, 0)


def _order(process: ProcessId) -> tuple[int, int]:
    return process.pid, process.started_ticks
