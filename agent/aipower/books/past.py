"""What those had used whose accounts were withdrawn: it never comes back out, so no counter falls."""

from __future__ import annotations

from collections.abc import Mapping

from aipower.books.accounts import PartAccount
from aipower.model import Device, FoldedEnergy


class Past:
    """Sums by device. They change when an account is withdrawn; until then snapshots show the same rows."""

    def __init__(self) -> None:
        self._parts: dict[str, PartAccount] = {}
        self._rows: tuple[FoldedEnergy, ...] = ()
        self._rows_of: Mapping[str, Device] | None = None

    def add(self, device: str, part: PartAccount) -> None:
        """Take in an account of `device`."""
        self._parts.setdefault(device, PartAccount()).merge(part)
        self._rows_of = None

    def rows(self, devices: Mapping[str, Device]) -> tuple[FoldedEnergy, ...]:
        """What a snapshot shows of each device, zeros too. The same object with the same devices is not read again."""
        if devices is not self._rows_of:
            self._rows, self._rows_of = tuple([self._row(*item) for item in devices.items()]), devices
        return self._rows

    def _row(self, device_id: str, device: Device) -> FoldedEnergy:
        part = self._parts.get(device_id, PartAccount())
        return FoldedEnergy(device, part.context_uj, part.active_uj)
