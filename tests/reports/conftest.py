"""An agent's server with reports of made-up runs."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from aipower.daemon.health import Health
from aipower.daemon.serving.http import HttpService, make_app
from aipower_exporters.reports import reports
from exporters.snapshots import node
from reports.shelves import RUNS, sources_of


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    app = make_app(node, [], lambda: Health(ok=True), sites=reports(sources_of(RUNS)))
    with HttpService(app, "127.0.0.1", 0) as service:
        yield f"http://{service.address}"


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as found:
        yield found
