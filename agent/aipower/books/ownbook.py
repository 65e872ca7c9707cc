"""What the agent itself has used since it started, beside what the devices used meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aipower.model import Attribution, Device, OwnEnergy, ProcessId


class OwnBook:
    """Sums of one process by device: it has an account like any other, but may have to leave it to a hungrier one."""

    def __init__(self, process: ProcessId | None) -> None:
        """`process` is the agent; None keeps no sums."""
        self._process = process
        self._own_uj: dict[str, int] = {}
        self._whole_uj: dict[str, int] = {}

    def add(self, attribution: Attribution) -> None:
        """Take in one window. One of which nothing is known, as while no agent ran, says nothing of its share."""
        if self._process is None or attribution.unattributed_uj == attribution.delta.energy_uj:
            return
        device = attribution.delta.device.id
        own_uj = attribution.context_uj.get(self._process, 0) + attribution.active_uj.get(self._process, 0)
        self._own_uj[device] = self._own_uj.get(device, 0) + own_uj
        self._whole_uj[device] = self._whole_uj.get(device, 0) + attribution.delta.energy_uj

    def rows(self, devices: Mapping[str, Device]) -> Iterator[OwnEnergy]:
        """What a snapshot shows of them."""
        for device, whole_uj in self._whole_uj.items():
            yield OwnEnergy(devices[device], self._own_uj[device], whole_uj)
