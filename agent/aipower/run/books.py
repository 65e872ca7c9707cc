"""What a run ends with."""

from __future__ import annotations

from typing import NamedTuple


class Books(NamedTuple):
    """The record and the report."""

    record: bytes
    """JSON, schema `aipower.run/1`; empty where nobody asked for it."""
    report: str
    """For a terminal; empty where nobody asked for it."""
