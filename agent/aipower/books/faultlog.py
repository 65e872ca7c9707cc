"""What went wrong, kept short: a sensor that fails ten times a second is one line in a report."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from aipower.model import Fault

MOST_RECORDS = 256
"""Kinds of fault kept; a machine has few devices and we have few reasons, so only nonsense gets here."""


class FaultRecord(Struct, frozen=True):
    """All faults of one device for one reason."""

    device: str | None
    reason: str
    first_s: float
    last_s: float
    count: int
    detail: str
    """Of the last one."""
    retry: bool


class FaultLog:
    """Merges repeated faults."""

    def __init__(self) -> None:
        self._records: dict[tuple[str | None, str], FaultRecord] = {}

    def add(self, fault: Fault) -> None:
        """Count `fault`."""
        key = (fault.device, fault.reason)
        known = self._records.get(key)
        if known is not None:
            self._records[key] = replace(
                known, last_s=fault.at_s, count=known.count + 1, detail=fault.detail, retry=fault.retry
            )
        elif len(self._records) < MOST_RECORDS:
            self._records[key] = FaultRecord(
                fault.device, fault.reason, fault.at_s, fault.at_s, 1, fault.detail, fault.retry
            )

    def records(self) -> tuple[FaultRecord, ...]:
        """In the order in which each first came up."""
        return tuple(self._records.values())
