"""Both kinds as the agent makes them of its settings, pushes to them and ends them."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint

import pytest

from aipower.daemon.sinks.load import find_sink_mistakes, make_sinks
from aipower.daemon.sinks.service import SinkService
from aipower.model import Snapshot
from aipower.seams import SystemClock
from aipower.settings.sinks import SinkSettings
from aipower.sinks import GROUP
from otlp import reading
from remote_write.nodes import busy
from remote_write.receiver import Receiver, receiver
from remote_write.test_sink import sent

DEADLINE_S = 60.0


def points() -> Iterable[EntryPoint]:
    yield EntryPoint("otlp", "aipower_exporters.otlp.sink:otlp", GROUP)
    yield EntryPoint("remote_write", "aipower_exporters.remote_write.sink:remote_write", GROUP)


def settings(kind: str, **options: object) -> SinkSettings:
    return SinkSettings("far", kind, 15.0, options, lambda _: "aipower.toml:3")


def number(kind: str, body: bytes) -> int:
    """How many series a request has."""
    return len(reading.points(reading.request(gzip.decompress(body))) if kind == "otlp" else sent(body))


def pushed(wanted: Sequence[SinkSettings], snapshot: Snapshot, far: Receiver) -> None:
    """Have the agent's threads push `snapshot` to `wanted` until `far` has something, and end."""
    service = SinkService(make_sinks(wanted, points), SystemClock())
    service.start(lambda: snapshot)
    end = time.monotonic() + DEADLINE_S
    while not far.bodies and time.monotonic() < end:
        time.sleep(0.01)
    service.stop(DEADLINE_S)
    (state,) = service.states()
    assert (state.up, state.faults.get("failed", 0)) == (True, 0)


@pytest.mark.parametrize("kind", ["otlp", "remote_write"])
def test_a_snapshot_is_pushed_and_all_series_are_ended_with_the_agent(kind: str) -> None:
    with receiver() as far:
        pushed([settings(kind, url=far.url + "/v1/metrics")], busy(), far)
    assert len(far.bodies) >= 2
    assert {number(kind, body) for body in far.bodies} == {number(kind, far.bodies[0])}


@pytest.mark.parametrize("kind", ["otlp", "remote_write"])
def test_a_mistake_in_the_settings_is_told_with_its_place(kind: str) -> None:
    found = find_sink_mistakes([settings(kind, url="http://127.0.0.1:1", timeout_s=0)], points)
    assert found == ("aipower.toml:3: sink far: timeout_s: expected a number from 0.1 to 300",)
