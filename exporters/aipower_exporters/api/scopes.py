"""Which errors of scale are shared."""

from __future__ import annotations

from aipower.model import Device


def joint_scope(device: Device) -> str:
    """Sensors of one scope may all be off in the same direction: half-widths add up linearly within it."""
    return device.kind
