"""Why something is missing in a record, in a line."""

from __future__ import annotations

from collections.abc import Iterator

from aipower.runrecord import RunRecord


def why_missing(record: RunRecord) -> str:
    """The reasons, each once, with what to do about them; empty where nothing is missing."""
    return "; ".join(dict.fromkeys(_reasons(record)))


def _reasons(record: RunRecord) -> Iterator[str]:
    for missing in record.not_measured:
        remedy = f" ({missing.remedy})" if missing.remedy else ""
        yield f"{missing.source}: {missing.reason}{remedy}"
    for device in record.devices:
        if device.energy_j is None:
            yield f"{device.device}: no energy was read"
        elif device.run_energy_j is None:
            yield f"{device.device}: {device.run_unknown}"
    for fault in record.faults:
        yield f"{fault.device or 'sensors'}: {fault.detail or fault.reason}"
