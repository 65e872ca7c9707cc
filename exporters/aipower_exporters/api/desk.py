"""Where documents are made, each once for a state of the agent, however many clients ask."""

from __future__ import annotations

from collections.abc import Callable

from aipower.model import JobKey, Snapshot
from aipower.site.sources import Condition, Now, Sources
from aipower_exporters.api.encoding import encode
from aipower_exporters.api.footprint import rates
from aipower_exporters.api.jobs import jobs_document
from aipower_exporters.api.limits import DEFAULT_LIMIT
from aipower_exporters.api.lines import Lines
from aipower_exporters.api.processes import Sort, processes_document
from aipower_exporters.api.snapshot import snapshot_document
from aipower_exporters.api.view import Key, View, look
from aipower_exporters.api.wall import Wall

MOST_KEPT = 8


class Desk:
    """Makes JSON of what the agent knows now, and keeps it until something changes. For the loop's thread."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._wall = Wall(sources.now)
        self._rates = rates(sources.footprint)
        self._version = ""
        self._view: View | None = None
        self._kept: dict[str, bytes] = {}
        self._processes: Lines[Key] = Lines()
        self._jobs: Lines[JobKey] = Lines()

    def now(self) -> Now:
        """This instant."""
        return self._wall.now()

    def version(self) -> str:
        """Names the state that snapshot, processes and jobs tell of."""
        return version_of(self.sources.snapshot(), self.sources.condition())

    def view(self, snapshot: Snapshot) -> View:
        """What is known now; not kept, so that any thread may call it."""
        return look(self.sources, snapshot, self.now())

    def snapshot(self, snapshot: Snapshot) -> bytes:
        """The node."""
        return self._find("snapshot", snapshot, self._snapshot)

    def processes(self, snapshot: Snapshot, sort: Sort = "power", limit: int = DEFAULT_LIMIT) -> bytes:
        """Its processes."""

        def make(view: View) -> bytes:
            return processes_document(view, sort, limit, self._processes)

        return self._find(f"processes {sort} {limit}", snapshot, make)

    def jobs(self, snapshot: Snapshot) -> bytes:
        """Its jobs."""
        return self._find("jobs", snapshot, lambda view: jobs_document(view, self._jobs))

    def _snapshot(self, view: View) -> bytes:
        return encode(snapshot_document(view, self.sources, self.sources.condition(), self._rates))

    def _find(self, name: str, snapshot: Snapshot, make: Callable[[View], bytes]) -> bytes:
        version = version_of(snapshot, self.sources.condition())
        if version != self._version or self._view is None or self._view.snapshot is not snapshot:
            self._version, self._view, self._kept = version, self.view(snapshot), {}
        found = self._kept.get(name)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[name] = make(self._view)
        return found


def version_of(snapshot: Snapshot | None, condition: Condition) -> str:
    """Changes when the figures do; while there are no new ones, once a second with their age."""
    if snapshot is None:
        return ""
    age = "" if condition.status == "ok" else f"-{int(condition.sample_age_s or 0)}"
    started_ms = int((snapshot.agent.started_unix_s or 0) * 1000)
    return f"{snapshot.boot}-{started_ms:x}-{snapshot.number:x}-{condition.status}{age}"
