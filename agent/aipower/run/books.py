"""What a run ends with."""

from __future__ import annotations


class Books:
    """The record and the report."""

    __slots__ = ("record", "report")

    def __init__(self, record: bytes, report: str) -> None:
        self.record = record
        """JSON, schema `aipower.run/1`; empty where nobody asked for it."""
        self.report = report
        """For a terminal; empty where nobody asked for it."""
