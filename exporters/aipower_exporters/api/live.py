"""Several documents in one answer: what a page polls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from aipower.model import Snapshot
from aipower_exporters.api import query as asked
from aipower_exporters.api.desk import Desk
from aipower_exporters.api.encoding import encode, joined
from aipower_exporters.api.history import history_document
from aipower_exporters.api.power import power_document

Part = Literal["snapshot", "processes", "jobs", "history"]
PARTS: tuple[Part, ...] = ("snapshot", "processes", "jobs", "history")
DEFAULT: frozenset[Part] = frozenset({"snapshot"})
OF_HISTORY = ("step", "by", "history_after")
"""Whoever gives one of these wants the history."""
NULL = b"null"


def live(desk: Desk, query: Mapping[str, str], snapshot: Snapshot) -> bytes:
    """The parts that are asked for, null for the others.

    Raises:
        UsageError: The query makes no sense.
    """
    wanted = asked.choices(query, "include", PARTS)
    wanted = DEFAULT if wanted is None else wanted
    history = "history" in wanted or any(name in query for name in OF_HISTORY)
    now = desk.now()
    return joined(
        {
            "snapshot": desk.snapshot(snapshot) if "snapshot" in wanted else NULL,
            "power": encode(power_document(desk.sources.history, query, snapshot, now)),
            "history": encode(history_document(desk.sources, query, snapshot, now, "history_after"))
            if history
            else NULL,
            "processes": desk.processes(snapshot) if "processes" in wanted else NULL,
            "jobs": desk.jobs(snapshot) if "jobs" in wanted else NULL,
        }
    )
