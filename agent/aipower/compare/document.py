"""A comparison as JSON."""

from __future__ import annotations

import msgspec

from aipower.compare.model import Comparison


def to_json(comparison: Comparison) -> bytes:
    """One indented object, the schema first."""
    fields = msgspec.to_builtins(comparison)
    ordered = {"schema": fields.pop("schema"), **fields}
    return msgspec.json.format(msgspec.json.encode(ordered), indent=2) + b"\n"
