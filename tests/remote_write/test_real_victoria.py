"""Pushes into a real VictoriaMetrics, which is another program that takes remote writes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from aipower_exporters.remote_write.sink import remote_write
from fleet.victoria import victoria_metrics
from remote_write.nodes import busy
from remote_write.test_real_prometheus import answer
from remote_write.test_sink import page


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with victoria_metrics(tmp_path / "victoria", []) as address:
        yield address


def test_it_has_the_very_same_series_and_no_more_of_those_that_left(url: str) -> None:
    # It answers for a second ago where it is asked for later.
    now_s, labels = round(time.time(), 3) - 30, {"instance": "node-7", "job": "aipower"}
    sink = remote_write({"url": f"{url}/api/v1/write", "labels": labels}, "far")
    sink.push(busy(now_s - 10))
    sink.push(replace(busy(now_s), processes=()))
    httpx.get(f"{url}/internal/force_flush", timeout=60).raise_for_status()
    assert answer(url, '{instance="node-7"}', now_s - 5) == page(busy(), labels)
    assert answer(url, '{instance="node-7"}', now_s) == page(replace(busy(), processes=()), labels)
