"""Pushes into a real Prometheus 2.42: what it answers is what the page says."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from aipower.model import UJ_PER_J, Snapshot
from aipower.sinks import Sink, SinkError
from aipower_exporters.remote_write.sink import remote_write
from fleet.server import prometheus
from remote_write.nodes import busy, full
from remote_write.test_sink import page

DOCS = Path(__file__).parents[2] / "docs" / "remote-write.md"
Labels = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a Prometheus that takes remote writes."""
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus(folder, folder / "data", flags=["--web.enable-remote-write-receiver"]) as address:
        yield address


def made(url: str, instance: str, **options: object) -> Sink:
    return remote_write({"url": f"{url}/api/v1/write", "labels": {"instance": instance}, **options}, "far")


def answer(url: str, query: str, at_s: float) -> dict[Labels, float]:
    """The series that an instant query finds at `at_s`."""
    parameters = {"query": query, "time": f"{at_s:.3f}"}
    data = httpx.get(f"{url}/api/v1/query", params=parameters, timeout=60).json()["data"]
    found: list[dict[str, Any]] = data["result"]
    return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in found}


def outside(instance: str) -> Mapping[str, str]:
    return {"job": "aipower", "instance": instance}


@pytest.mark.parametrize("make", [busy, full])
def test_it_has_every_series_of_the_page_with_the_very_same_value(url: str, make: Any) -> None:
    now_s, instance = round(time.time(), 3), make.__name__
    snapshot: Snapshot = make(at_unix_s=now_s)
    made(url, instance).push(snapshot)
    assert answer(url, f'{{instance="{instance}"}}', now_s) == page(snapshot, outside(instance))


def test_the_energies_of_jobs_sum_exactly_to_those_of_the_devices(url: str) -> None:
    now_s = round(time.time(), 3)
    made(url, "sums").push(full(at_unix_s=now_s))

    def sums_uj(name: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for labels, energy_j in answer(url, f'{name}{{instance="sums"}}', now_s).items():
            device = dict(labels)["device"]
            found[device] = found.get(device, 0) + round(energy_j * UJ_PER_J)
        return found

    devices, jobs = sums_uj("aipower_device_energy_joules_total"), sums_uj("aipower_job_energy_joules_total")
    folded = sums_uj("aipower_job_folded_energy_joules_total")
    assert len(devices) == 10
    assert {device: jobs[device] + folded[device] for device in devices} == devices


def test_a_series_that_left_is_not_found_any_more_at_once(url: str) -> None:
    now_s = round(time.time(), 3)
    sink = made(url, "leaves")
    sink.push(busy(now_s - 15))
    left = tuple(row for row in busy().processes if row.info is None or row.info.id.pid != 4242)
    sink.push(replace(busy(now_s), processes=left))
    query = 'aipower_process_energy_error_joules{instance="leaves",pid="4242"}'
    assert len(answer(url, query, now_s - 1)) == 2
    assert answer(url, query, now_s) == {}
    assert len(answer(url, query.replace("4242", "4243"), now_s)) == 1


def test_a_node_whose_agent_ended_shows_no_power(url: str) -> None:
    now_s = round(time.time(), 3) - 1
    sink = made(url, "ends")
    sink.push(busy(now_s))
    query = '{instance="ends"}'
    assert answer(url, query, now_s)
    sink.close()
    assert answer(url, query, time.time() + 1) == {}


def test_samples_older_than_the_newest_are_a_fault_that_says_so(url: str) -> None:
    now_s = round(time.time(), 3)
    sink = made(url, "old")
    sink.push(busy(now_s))
    with pytest.raises(SinkError) as caught:
        sink.push(busy(now_s - 30))
    assert caught.value.reason == "rejected"
    assert "out of order" in str(caught.value)
    with pytest.raises(SinkError) as caught:
        sink.push(busy(now_s - 86400))
    assert caught.value.reason == "rejected"
    sink.push(busy(now_s + 1))


def test_a_prometheus_that_takes_no_writes_is_a_fault_that_says_so(url: str) -> None:
    with pytest.raises(SinkError) as caught:
        remote_write({"url": f"{url}/api/v1/writ"}, "far").push(busy())
    assert caught.value.reason == "rejected"
    assert "404" in str(caught.value)


def test_the_documented_query_finds_nodes_that_are_silent(url: str) -> None:
    (query,) = re.findall(r"```promql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    now_s = round(time.time(), 3)
    made(url, "silent").push(busy(now_s - 600))
    made(url, "heard").push(busy(now_s))
    silent = {dict(labels)["instance"] for labels in answer(url, query, now_s)}
    assert "silent" in silent
    assert "heard" not in silent


def test_the_documented_settings_work(url: str) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    tables = [table for block in blocks for table in tomllib.loads(block)["sinks"].values()]
    assert tables
    options = {key: value for key, value in tables[0].items() if key not in {"kind", "interval_s"}}
    assert tables[0]["kind"] == "remote_write"
    options["url"] = options["url"].replace("http://127.0.0.1:9090", url)
    now_s = round(time.time(), 3)
    remote_write(options, "far").push(busy(now_s))
    assert len(answer(url, 'aipower_device_power_watts{instance="node-7",cluster="a"}', now_s)) == 2
