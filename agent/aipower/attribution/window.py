"""One window of a device: its energy, who used it, and what of it was no work."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aipower.attribution.baseline import Floor
from aipower.attribution.samples import Covariance
from aipower.attribution.work import Work
from aipower.model import EnergyDelta, ProcessId, Usage

ALIGNED_S = 0.08
"""A counter's last update and a driver's last sample lie 0.05 and 0.08 s back on average (updates each 0.1 s, samples
each 1/6 s), and neither is at the same moment."""


class Window(Struct, frozen=True, gc=False):
    """A window with known users, ready to be split."""

    delta: EnergyDelta
    usage: Usage
    work: Work
    columns: tuple[str, ...]
    """Those of work that was seen, then those of samples that may have missed some."""
    seconds: Sequence[float]
    """Seconds of work that were seen, in the order of the columns."""
    covariance_s2: Covariance | None = None
    """Of the sampled seconds by column; None where they are exact."""
    unrest_w: float = 0.0
    """By how much the power differs from that of the window before."""
    holders: Sequence[ProcessId] = ()
    """Those of the usage, in the order that is the same each time."""

    @property
    def looks_per_s(self) -> float:
        """Samples behind each second of work."""
        return self.usage.samples / self.delta.span_s if self.usage.samples > 0 else 0.0

    @property
    def alignment_j2(self) -> float:
        """Square of what the energy may be off for not being of the very moments in which the work was seen."""
        return (ALIGNED_S * self.unrest_w) ** 2

    def work_uj(self, floor: Floor) -> int:
        """The energy that is neither idle nor the contexts'."""
        return self.delta.energy_uj - floor.idle_uj - floor.context_uj


def window_of(
    delta: EnergyDelta,
    usage: Usage,
    work: Work,
    covariance_s2: Covariance | None,
    unrest_w: float = 0.0,
    holders: Sequence[ProcessId] = (),
) -> Window:
    """A window with its columns in their order."""
    seen = [*work.seconds.values()]
    if covariance_s2 is None:
        return Window(delta, usage, work, tuple(work.seconds), seen, None, unrest_w, holders)
    columns = covariance_s2.columns
    seconds = seen + [0.0] * (len(columns) - len(seen))
    return Window(delta, usage, work, columns, seconds, covariance_s2, unrest_w, holders)
