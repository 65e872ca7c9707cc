"""One run of a series, and how it went."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from aipower.runrecord import CRUMB, RunRecord


class Play(Struct, frozen=True):
    """One run that has ended."""

    index: int
    """From 1 on; 0 for a warm-up."""
    exit_code: int
    record: RunRecord
    warm: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The devices that were not back at their idle power when it began: their power and their idle power in watts."""

    cut: bool = False
    """We were asked to end while it ran: its work may not be done, whatever its exit code says."""

    @property
    def counts(self) -> bool:
        """True where its figures go into the means."""
        return self.index > 0 and self.exit_code == 0 and not self.cut


def worked(record: RunRecord) -> frozenset[str]:
    """The ids of the devices that the run used, or may have used."""
    return frozenset(
        device.device
        for device in record.devices
        if device.run_energy_j is None or device.run_energy_j > CRUMB * (device.energy_j or 0.0)
    )


def measured(record: RunRecord) -> frozenset[str]:
    """The ids of the devices of which the run's own part is known."""
    return frozenset(device.device for device in record.devices if device.run_energy_j is not None)
