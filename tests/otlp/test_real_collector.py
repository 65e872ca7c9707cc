"""Pushes into a real collector: what it understood is what the page says."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from aipower.sinks import SinkError
from aipower_exporters.otlp.sink import otlp
from otlp.collector import Collector, collector
from otlp.test_sink import expected, kept, without_names
from remote_write.nodes import busy, full

DOCS = Path(__file__).parents[2] / "docs" / "otlp.md"


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collector(tmp_path_factory.mktemp("collector")) as running:
        yield running


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("make", [busy, full])
def test_it_understood_every_point_as_it_is_on_the_page(far: Collector, make: Any, compression: str) -> None:
    snapshot = make(at_unix_s=round(time.time()))
    otlp({"url": far.url, "compression": compression}, "far").push(snapshot)
    wanted = expected(snapshot)
    found = far.taken(len(wanted))
    assert {series: read.value for series, read in without_names(found).items()} == wanted
    # Times, types and units too: as our own bytes are read by the official messages.
    assert found == kept(snapshot).points()[0]


def test_it_understood_the_end_of_series(far: Collector) -> None:
    now_s = round(time.time())
    sink = otlp({"url": far.url}, "far")
    sink.push(busy(now_s - 15))
    first = far.taken(len(expected(busy())))
    sink.push(replace(busy(now_s), processes=()))
    second = far.taken(len(first))
    ended = {name for (name, _), read in second.items() if read.value is None}
    assert ended == {"aipower.process.energy", "aipower.process.energy_error", "aipower.process.info"}


def test_several_requests_are_one_page(far: Collector) -> None:
    snapshot = full(at_unix_s=round(time.time()))
    otlp({"url": far.url, "max_points": 500}, "far").push(snapshot)
    wanted = expected(snapshot)
    assert without_names(far.taken(len(wanted))).keys() == wanted.keys()


def test_an_address_that_takes_no_metrics_is_a_fault(far: Collector) -> None:
    with pytest.raises(SinkError) as caught:
        otlp({"url": f"{far.url}/v1/nothing"}, "far").push(busy())
    assert caught.value.reason == "rejected"


def test_the_documented_settings_work(far: Collector) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    tables = [table for block in blocks for table in tomllib.loads(block)["sinks"].values()]
    options = {key: value for key, value in tables[0].items() if key not in {"kind", "interval_s"}}
    assert tables[0]["kind"] == "otlp"
    options["url"] = options["url"].replace("http://127.0.0.1:4318", far.url)
    snapshot = busy(round(time.time()))
    otlp(options, "far").push(snapshot)
    end = time.monotonic() + 60
    while not far.behind.bodies and time.monotonic() < end:
        time.sleep(0.02)
    attributes = far.resources()[0]
    assert attributes["deployment.environment.name"] == "lab"
    assert attributes["host.name"] == "node-7"
    assert far.taken(len(expected(snapshot)))
