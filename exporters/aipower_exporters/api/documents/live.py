"""What a page polls."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from aipower_exporters.api.documents.history import HistoryDoc
from aipower_exporters.api.documents.jobs import Jobs
from aipower_exporters.api.documents.power import Power
from aipower_exporters.api.documents.processes import Processes
from aipower_exporters.api.documents.snapshot import Snapshot
from aipower_exporters.api.documents.units import about


class Live(Struct, frozen=True):
    """Several documents at once; null where one was not asked for."""

    snapshot: Annotated[Snapshot | None, about("With include=snapshot, which is the default.")]
    power: Annotated[Power, about("What ticks have read after `after`.")]
    history: Annotated[HistoryDoc | None, about("With include=history, or where step, by or history_after is given.")]
    processes: Annotated[Processes | None, about("With include=processes.")]
    jobs: Annotated[Jobs | None, about("With include=jobs.")]
