"""Whoever gives back what was told as `next` gets everything once."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.clients import Client, client
from api.worlds import SETTINGS, START_S, FakeHistory, Size, World, world

DEVICE = "GPU-0000"
GAPS_S = st.lists(st.floats(0.02, 3.0), min_size=1, max_size=30)
JITTERS_S = st.lists(st.floats(0, 0.002), min_size=1, max_size=5)


def empty(jitters_s: list[float]) -> World:
    it = world(Size(gpus=1))
    it.history = FakeHistory()
    it.clock.jitter_s = jitters_s
    return it


@settings(max_examples=40)
@given(GAPS_S, JITTERS_S, st.lists(st.integers(0, 4), min_size=1, max_size=30), st.sampled_from(("power", "live")))
def test_increments_of_power_are_the_whole(
    gaps_s: list[float], jitters_s: list[float], polls: list[int], resource: str
) -> None:
    it = empty(jitters_s)
    api, told, after = client(it.sources()), [], 0.0
    for number, gap_s in enumerate(gaps_s):
        it.clock.go(gap_s)
        it.history.rows.append((it.clock.monotonic_s, {DEVICE: float(number)}))
        for _ in range(polls[number % len(polls)]):
            document = _power(api, resource, after)
            told += document["power_w"][DEVICE]
            after = document["next"]
    told += _power(api, resource, after)["power_w"][DEVICE]
    assert told == [float(number) for number in range(len(gaps_s))]


def _power(api: Client, resource: str, after: float) -> Any:
    query = f"?after={after!r}&device={DEVICE}"
    document = api.get(f"/api/v1/{resource}{query}")
    return document["power"] if resource == "live" else document


@settings(max_examples=30)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=12), JITTERS_S, st.sampled_from((0.1, 1.0, 3.0, 7.0)))
def test_increments_of_history_are_the_whole(seconds: list[int], jitters_s: list[float], step_s: float) -> None:
    it = world(Size(gpus=1, history_s=100.0))
    it.clock.jitter_s = jitters_s
    windows, rows = it.history.windows, it.history.rows
    it.history.windows, it.history.rows = [], []
    api, starts, means, cursor = client(it.sources()), [], [], "-1000"
    it.clock.go(-100.0)
    for gap_s in seconds:
        it.clock.go(float(gap_s))
        it.history.windows = [window for window in windows if window.end_s <= it.clock.monotonic_s]
        it.history.rows = [row for row in rows if row[0] <= it.clock.monotonic_s]
        document = api.get(f"/api/v1/live?step={step_s}&by=device&history_after={cursor}")["history"]
        starts += document["start_unix_s"]
        means += document["mean_w"]
        cursor = repr(document["next"])
    whole = api.get(f"/api/v1/history?step={step_s}&by=device&from=-1000")
    assert starts == whole["start_unix_s"]
    assert means == whole["mean_w"]
    gaps_s = {round(after - before, 3) for before, after in itertools.pairwise(starts)}
    assert gaps_s <= {step_s}


def test_a_cursor_from_the_future_is_good_again_soon() -> None:
    """The wall clock was set back by an hour: who polls goes on within a second."""
    it = world()
    api = client(it.sources())
    after = api.get("/api/v1/power")["next"]
    it.clock.unix_s -= 3600
    document = api.get(f"/api/v1/power?after={after}")
    assert document["at_unix_s"] == []
    it.clock.go(2)
    it.history.rows.append((it.clock.monotonic_s, {DEVICE: 5.0}))
    later = api.get(f"/api/v1/power?after={document['next']}")
    assert later["power_w"][DEVICE] == [5.0]
    assert later["at_unix_s"] == [it.clock.unix_s]


def test_a_look_that_was_interrupted_moves_no_cursor() -> None:
    it = world()
    api = client(it.sources())
    first = api.get("/api/v1/power")
    it.clock.jitter_s = (0.3, 0.0, 0.0)
    assert [api.get("/api/v1/power")["at_unix_s"] for _ in range(9)] == [first["at_unix_s"]] * 9


def test_a_negative_time_is_before_now() -> None:
    api = client(world().sources())
    assert len(api.get("/api/v1/power?after=-4.5")["at_unix_s"]) == 5
    assert api.get("/api/v1/power?after=-1000000") == api.get("/api/v1/power")
    document = api.get("/api/v1/history?from=-10&to=-5&step=1")
    assert document["to_unix_s"] - document["from_unix_s"] == pytest.approx(5)
    assert 4 <= len(document["start_unix_s"]) <= 5


def test_power_is_of_the_devices_that_are_asked_for() -> None:
    api = client(world().sources())
    assert list(api.get("/api/v1/power")["power_w"]) == ["GPU-0000", "GPU-0001", "package-0", "dram-0"]
    document = api.get("/api/v1/power?device=psys,nobody,psys&after=-2.5")
    assert list(document["power_w"]) == ["psys", "nobody"]
    assert document["power_w"]["nobody"] == [None, None, None]
    assert None not in document["power_w"]["psys"]


def test_nothing_is_known_of_an_agent_that_has_just_started() -> None:
    api = client(empty([0.0]).sources())
    assert api.get(f"/api/v1/power?device={DEVICE}") == {"at_unix_s": [], "power_w": {DEVICE: []}, "next": 0.0}
    document = api.get("/api/v1/history")
    assert (document["start_unix_s"], document["layers"]) == ([], [])
    assert document["next"] == pytest.approx(document["from_unix_s"], abs=0.001)


def test_what_is_older_than_the_history_begins_where_it_begins() -> None:
    it = world()
    document = client(it.sources()).get("/api/v1/history?from=0")
    assert document["from_unix_s"] >= it.clock.unix_s - 31
    assert len(document["start_unix_s"]) > 20


@pytest.mark.parametrize(("span_s", "step_s"), [(300, 1.0), (900, 5.0), (3600, 10.0), (21600, 60.0), (10**6, 3600.0)])
def test_the_default_step_fits_a_chart(span_s: int, step_s: float) -> None:
    it = world(Size(history_s=1.0))
    it.history.rows.insert(0, (START_S - span_s, {}))
    it.settings = {**SETTINGS, "history_s": 1e7}
    assert client(it.sources()).get(f"/api/v1/history?from=-{span_s}")["step_s"] == step_s


def test_layers_say_what_they_are() -> None:
    api = client(world().sources())
    by_device = api.get("/api/v1/history?by=device")["layers"]
    assert [(layer["key"], layer["label"]) for layer in by_device][:2] == [
        ("GPU-0000", "gpu 0"),
        ("GPU-0001", "gpu 1"),
    ]
    process = api.get("/api/v1/history?by=process")["layers"][0]
    assert (process["key"], process["label"], process["pid"]) == ("boot-1-4000-100", "python0", 4000)
    component = api.get("/api/v1/history")
    assert [layer["key"] for layer in component["layers"]] == ["idle", "context", "active", "unattributed"]
    sums = [sum(values) for values in zip(*(layer["mean_w"] for layer in component["layers"]), strict=True)]
    assert sums == pytest.approx(component["mean_w"], abs=0.005)


def test_a_page_gets_what_it_includes() -> None:
    api = client(world().sources())
    document = api.get("/api/v1/live")
    assert {key for key, part in document.items() if part is not None} == {"snapshot", "power"}
    document = api.get("/api/v1/live?include=processes,jobs,history")
    assert {key for key, part in document.items() if part is not None} == {"power", "processes", "jobs", "history"}
    for name in ("processes", "jobs", "history"):
        assert document[name] == api.get(f"/api/v1/{name}")
    assert api.get("/api/v1/live?by=process")["history"]["by"] == "process"
    assert api.get("/api/v1/live?include=")["snapshot"] is None
