"""What others call themselves is text, whatever it is."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.model import ProcessEnergy, Snapshot
from aipower_exporters.api.catalogue import ENTRIES
from api.clients import client, read
from api.worlds import World, world
from exporters.snapshots import SNAPSHOTS, WORDS

DOCUMENTS = {entry.path: entry.document for entry in ENTRIES if entry.document}
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def shown(text: str) -> str:
    """`text` as it may come back: what is no text is replaced."""
    return "".join(REPLACEMENT if "\ud800" <= char <= "\udfff" else char for char in text)


@settings(max_examples=40)
@given(st.text() | WORDS, WORDS, WORDS)
def test_any_name_survives(comm: str, user: str, run: str) -> None:
    it = world()
    assert it.snapshot is not None
    it.snapshot = replace(it.snapshot, processes=(renamed(it.snapshot.processes[0], comm, user, run),))
    process = client(it.sources()).get("/api/v1/processes")["processes"][0]
    assert (process["comm"], process["user"], process["run"]) == (shown(comm), shown(user), shown(run))


def renamed(row: ProcessEnergy, comm: str, user: str, run: str) -> ProcessEnergy:
    assert row.info is not None
    return replace(row, info=replace(row.info, comm=comm, user=user), run=run)


def test_one_name_that_is_no_text_changes_no_other_value() -> None:
    it = world()
    assert it.snapshot is not None
    plain = client(it.sources()).get("/api/v1/processes")
    rows = [renamed(row, "\udcff", "user", "") if row.info else row for row in it.snapshot.processes]
    it.snapshot = replace(it.snapshot, processes=tuple(rows))
    hostile = client(it.sources()).get("/api/v1/processes")
    for document in (plain, hostile):
        for process in document["processes"]:
            for key in ("comm", "user", "run", "run_name"):
                del process[key]
    assert hostile == plain


@settings(max_examples=20)
@given(SNAPSHOTS)
def test_any_snapshot_gives_documents_of_finite_numbers(snapshot: Snapshot) -> None:
    api = client(World(snapshot).sources())
    for path, kind in DOCUMENTS.items():
        body = api.ask(path).body
        assert read(msgspec.json.encode(msgspec.json.decode(body, type=kind))) == read(body)
        check(read(body))


def check(value: Any) -> None:
    """No number without end: JSON has none."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            check(one)
    assert not isinstance(value, float) or math.isfinite(value)
