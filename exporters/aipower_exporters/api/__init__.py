"""The JSON API of the agent, `/api/v1/…`: documented in docs/http-api.md and in its OpenAPI document."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files

from aipower.model import Snapshot
from aipower.site.resource import Question, Resource
from aipower.site.sources import Sources
from aipower_exporters.api import paths
from aipower_exporters.api import query as asked
from aipower_exporters.api.catalogue import PARAMETERS
from aipower_exporters.api.desk import Desk
from aipower_exporters.api.documents.index import Index
from aipower_exporters.api.documents.units import SCHEMA
from aipower_exporters.api.encoding import encode
from aipower_exporters.api.handlers import Query, plain, sampled
from aipower_exporters.api.history import history_document
from aipower_exporters.api.limits import DEFAULT_LIMIT, MOST_PROCESSES
from aipower_exporters.api.live import live
from aipower_exporters.api.power import power_document
from aipower_exporters.api.processes import SORTS
from aipower_exporters.api.runs import runs_document

RUNS_EVERY_S = 2.0
"""Files are looked at no more often than this, however many clients ask."""


def api(sources: Sources) -> Sequence[Resource]:
    """All resources of the API."""
    desk = Desk(sources)
    return (*_fixed(sources), *_of_now(desk), *_of_the_past(desk), _runs(desk))


def _fixed(sources: Sources) -> Sequence[Resource]:
    openapi = files("aipower_exporters.api").joinpath("openapi.json").read_bytes().rstrip()

    def index(_query: Query) -> bytes:
        snapshot = sources.snapshot()
        return encode(Index(SCHEMA, snapshot.version if snapshot else "", list(PARAMETERS)))

    tag = f"{zlib.crc32(openapi):08x}"
    return (
        Resource(paths.ROOT, plain(paths.ROOT, index), listed=True),
        Resource(paths.OPENAPI, plain(paths.OPENAPI, lambda _query: openapi), lambda _question: tag),
    )


def _of_now(desk: Desk) -> Sequence[Resource]:
    source = desk.sources.snapshot

    def version(_question: Question) -> str:
        return desk.version()

    def processes(query: Query, snapshot: Snapshot) -> bytes:
        limit = asked.whole(query, "limit", 1, MOST_PROCESSES)
        return desk.processes(snapshot, asked.choice(query, "sort", SORTS), limit or DEFAULT_LIMIT)

    bodies = {
        paths.SNAPSHOT: lambda _query, snapshot: desk.snapshot(snapshot),
        paths.PROCESSES: processes,
        paths.JOBS: lambda _query, snapshot: desk.jobs(snapshot),
    }
    return [Resource(path, sampled(path, source, body), version, counters=True) for path, body in bodies.items()]


def _of_the_past(desk: Desk) -> Sequence[Resource]:
    source = desk.sources.snapshot

    def power(query: Query, snapshot: Snapshot) -> bytes:
        return encode(power_document(desk.sources.history, query, snapshot, desk.now()))

    def history(query: Query, snapshot: Snapshot) -> bytes:
        return encode(history_document(desk.sources, query, snapshot, desk.now()))

    return (
        Resource(paths.POWER, sampled(paths.POWER, source, power), slow=True),
        Resource(paths.HISTORY, sampled(paths.HISTORY, source, history), slow=True),
        Resource(
            paths.LIVE,
            sampled(paths.LIVE, source, lambda query, snapshot: live(desk, query, snapshot)),
            counters=True,
        ),
    )


def _runs(desk: Desk) -> Resource:
    sources = desk.sources

    def runs(_query: Mapping[str, str], snapshot: Snapshot) -> bytes:
        return encode(runs_document(desk.view(snapshot), sources))

    def version(_question: Question) -> str:
        snapshot = sources.snapshot()
        if snapshot is None:
            return ""
        return f"{snapshot.boot}-{int(sources.now().monotonic_s / RUNS_EVERY_S):x}"

    return Resource(paths.RUNS, sampled(paths.RUNS, sources.snapshot, runs), version, slow=True, counters=True)
