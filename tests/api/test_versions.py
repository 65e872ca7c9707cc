"""Entity tags: the same while nothing changes, another one as soon as something does."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from aipower.site.sources import Condition
from api.clients import client
from api.worlds import Size, world

TAGGED = [f"/api/v1/{name}" for name in ("snapshot", "processes", "jobs")]


@pytest.mark.parametrize("path", TAGGED)
def test_a_version_changes_with_what_is_told(path: str) -> None:
    it = world()
    api = client(it.sources())
    first = api.version(path)
    it.clock.go(0.5)
    assert api.version(path) == first
    assert it.snapshot is not None
    it.snapshot = replace(it.snapshot, number=18)
    second = api.version(path)
    it.snapshot = replace(it.snapshot, agent=replace(it.snapshot.agent, started_unix_s=5.0))
    restarted = api.version(path)
    it.condition = Condition("stale", "late", 5.2)
    late = api.version(path)
    it.condition = Condition("stale", "late", 6.2)
    assert len({first, second, restarted, late, api.version(path)}) == 5
    it.snapshot = None
    assert not api.version(path)


@pytest.mark.parametrize("path", TAGGED)
def test_a_document_is_made_once_for_all_who_ask(path: str) -> None:
    it = world()
    api = client(it.sources())
    first, again = api.ask(path).body, api.ask(path).body
    assert first == again
    assert it.snapshot is not None
    it.snapshot = replace(it.snapshot, number=18)
    assert api.get(path)["number"] == 18


def test_what_is_kept_of_many_questions_is_bounded_and_right() -> None:
    api = client(world(Size(processes=12)).sources())
    for _ in range(2):
        for limit in range(1, 13):
            assert len(api.get(f"/api/v1/processes?limit={limit}")["processes"]) == limit


def test_a_tag_is_of_characters_that_tags_may_have() -> None:
    it = world()
    api = client(it.sources())
    for path, resource in api.resources.items():
        if resource.version:
            assert all("!" <= char <= "~" and char != '"' for char in api.version(path))


def test_what_is_never_the_same_has_no_tag() -> None:
    api = client(world().sources())
    without = {path for path, resource in api.resources.items() if resource.version is None}
    assert without == {"/api/v1", "/api/v1/power", "/api/v1/history", "/api/v1/live"}
