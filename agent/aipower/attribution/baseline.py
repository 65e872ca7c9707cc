"""What a device draws without work: the bare idle level, and the step that an open context adds."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from aipower.model import EnergyDelta, Usage

QUANTILE = 0.1
"""A low quantile, not the minimum: the minimum drifts down with sensor noise and temperature (science of D)."""
WINDOWS = 600
"""Windows remembered: ten minutes at the default pace."""
MAX_CONTEXT_W = 100.0
"""Measured steps are 26 to 66 W (arXiv 2605.23918); more than this is work, not a parked context."""
QUIET_LOAD = 0.05
"""A processor busier than this share of its capacity is not idle."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The part of a delta that is not work, in microjoules; `known` is False where it is a fall-back."""

    idle_uj: int
    context_uj: int = 0
    known: bool = True


class Baseline(Protocol):
    """Learns a device's floor from its windows."""

    def observe(self, delta: EnergyDelta, usage: Usage) -> None:
        """Learn from one window."""
        ...

    def floor(self, delta: EnergyDelta, usage: Usage) -> Floor:
        """The floor of one window; idle + context never exceed its energy."""
        ...


class LowQuantile:
    """A low quantile of the latest values."""

    def __init__(self) -> None:
        self._values_w: deque[float] = deque(maxlen=WINDOWS)

    def add(self, value_w: float) -> None:
        """Remember one value."""
        self._values_w.append(value_w)

    @property
    def value_w(self) -> float | None:
        """The quantile, or None while there is nothing to take it of."""
        if not self._values_w:
            return None
        ordered = sorted(self._values_w)
        return ordered[math.floor(QUANTILE * (len(ordered) - 1))]


def power_w(delta: EnergyDelta) -> float:
    """Mean power of a window in watts."""
    return delta.energy_uj / 1e6 / delta.span_s


class GpuBaseline:
    """A GPU's bare idle level, seen only while nobody holds a context, and the step while contexts are parked.

    An idle level that was never seen is 0 and not known: everything is then the holders' doing.
    """

    def __init__(self) -> None:
        self._bare = LowQuantile()
        self._parked = LowQuantile()
        self._was_held = True

    def observe(self, delta: EnergyDelta, usage: Usage) -> None:
        """Learn from a window in which nobody worked."""
        held = bool(usage.holders) or usage.unknown_holders > 0
        steady, self._was_held = held == self._was_held, held
        if not steady or usage.busy_s or usage.unknown_busy_s > 0:
            return
        if not held:
            self._bare.add(power_w(delta))
        elif usage.sampled:
            self._parked.add(power_w(delta))

    def seed(self, idle_w: float) -> None:
        """Take one reading of a device that nobody holds as its idle level."""
        self._bare.add(idle_w)
        self._was_held = False

    def floor(self, delta: EnergyDelta, usage: Usage) -> Floor:
        """Idle, and the step if a context is held; all is idle where nobody holds or works."""
        held = bool(usage.holders) or usage.unknown_holders > 0
        if not held and not usage.busy_s and usage.unknown_busy_s <= 0:
            return Floor(delta.energy_uj)
        bare_w = self._bare.value_w
        if bare_w is None:
            return Floor(0, 0, known=False)
        idle_uj = min(delta.energy_uj, round(bare_w * delta.span_s * 1e6))
        parked_w = self._parked.value_w
        if not held or parked_w is None:
            return Floor(idle_uj)
        step_w = min(max(parked_w - bare_w, 0.0), MAX_CONTEXT_W)
        return Floor(idle_uj, min(delta.energy_uj - idle_uj, round(step_w * delta.span_s * 1e6)))


class CpuBaseline:
    """A processor's or memory's static power, seen while the machine is nearly idle.

    Until that was seen, the share of capacity that nobody used counts as idle (formula C0 of the science notes),
    which errs by about 30 % on one process but never charges a lone small one with the whole socket.
    """

    def __init__(self) -> None:
        self._quiet = LowQuantile()

    def observe(self, delta: EnergyDelta, usage: Usage) -> None:
        """Learn from a quiet window."""
        if usage.capacity_s and _load(usage) <= QUIET_LOAD:
            self._quiet.add(power_w(delta))

    def floor(self, delta: EnergyDelta, usage: Usage) -> Floor:
        """The static part."""
        quiet_w = self._quiet.value_w
        if quiet_w is not None:
            return Floor(min(delta.energy_uj, round(quiet_w * delta.span_s * 1e6)))
        return Floor(min(delta.energy_uj, round(delta.energy_uj * (1 - _load(usage)))), known=False)


def _load(usage: Usage) -> float:
    """Share of the capacity in use, from 0 to 1."""
    busy_s = sum(usage.busy_s.values()) + usage.unknown_busy_s
    return min(1.0, busy_s / usage.capacity_s) if usage.capacity_s else 1.0
