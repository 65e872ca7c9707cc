"""One window of a device: its energy, who used it, and what of it was no work."""

from __future__ import annotations

from dataclasses import dataclass

from aipower.attribution.baseline import Floor
from aipower.attribution.samples import Covariance
from aipower.attribution.work import Work
from aipower.model import EnergyDelta, Usage


@dataclass(frozen=True, slots=True)
class Window:
    """A window with known users, ready to be split."""

    delta: EnergyDelta
    usage: Usage
    work: Work
    covariance_s2: Covariance
    """Of the sampled seconds by column; empty where they are exact."""

    @property
    def looks_per_s(self) -> float:
        """Samples behind each second of work."""
        return self.usage.samples / self.delta.span_s if self.usage.samples > 0 else 0.0

    def work_uj(self, floor: Floor) -> int:
        """The energy that is neither idle nor the contexts'."""
        return self.delta.energy_uj - floor.idle_uj - floor.context_uj
