"""How the energy of work is shared among those who worked, and how far that may be off."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aipower.model import ProcessId, Usage

GPU_INTENSITY_SE = 0.3
"""Watts per busy second differ between processes: shares by busy time were 30 % off for 350 W beside 150 W."""
CPU_INTENSITY_SE = 0.3
"""Share of CPU time was 24 to 32 % off per process with static power unknown (C0 and C2 of the science notes)."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Weights of the processes and of the unknown, with the standard error of each process's share (0 to 1)."""

    weights: Mapping[ProcessId | None, float]
    """None is the work of processes that could not be identified."""
    sampling_se: Mapping[ProcessId, float] = field(default_factory=dict)
    """Independent from window to window."""
    systematic_se: Mapping[ProcessId, float] = field(default_factory=dict)
    """The same in all windows."""


class ActiveModel(Protocol):
    """The seam for better models, such as a regression of energy on busy time."""

    def shares(self, usage: Usage) -> Shares:
        """How to split the energy of work of one window."""
        ...


@dataclass(frozen=True, slots=True)
class BusyTime:
    """Shares by busy time alone."""

    intensity_se: float
    lone_is_certain: bool = True
    """True where one worker takes all (GPU); a CPU's static part stays uncertain even then."""

    def shares(self, usage: Usage) -> Shares:
        """Busy seconds as weights; binomial sampling error, and one for unequal intensity."""
        weights: dict[ProcessId | None, float] = dict(usage.busy_s.items())
        if usage.unknown_busy_s > 0:
            weights[None] = usage.unknown_busy_s
        lone = _lone_holder(usage)
        if not weights and lone is not None:
            weights[lone] = 1.0
        total = sum(weights.values())
        parts = {process: weight / total for process, weight in weights.items() if process is not None}
        return Shares(
            weights,
            {process: self._sampling_se(part, usage.samples) for process, part in parts.items()},
            {process: self._systematic_se(part) for process, part in parts.items()},
        )

    def _sampling_se(self, part: float, samples: float) -> float:
        """Standard error of a binomial share: sqrt(p (1 - p) / n), that of one sample where there was less."""
        return math.sqrt(part * (1 - part) / max(samples, 1.0)) if samples > 0 else 0.0

    def _systematic_se(self, part: float) -> float:
        return self.intensity_se * part * ((1 - part) if self.lone_is_certain else 1.0)


def _lone_holder(usage: Usage) -> ProcessId | None:
    """The only process with a context: all that is not idle is its doing, seen by a sampler or not."""
    if len(usage.holders) == 1 and usage.unknown_holders == 0:
        return next(iter(usage.holders))
    return None
