"""The dashboards over real agents with simulated sensors, scraped by a real Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from aipower_exporters.grafana.catalogue import dashboards
from fleet.live import Live, live
from fleet.server import DEADLINE_S, tool
from grafana.asking import UIDS, Grafana, dashboard
from grafana.checking import silent

SPAN_S = 60
NEEDY = tuple(panel.title for board in dashboards() for panel in board.panels if panel.needs)
"""Panels of what simulated machines have not: servers' tokens, a source that is missing."""


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    tool("prometheus")
    with live(tmp_path_factory.mktemp("live"), agents=2) as running:
        yield running


@pytest.mark.parametrize("uid", UIDS)
def test_every_panel_of_agents_with_simulated_sensors_shows_something(chain: Live, uid: str) -> None:
    choices = {"aipower-node": {"instance": chain.agents[0].address}, "aipower-job": {"job": "4711", "other": "4711"}}
    end_s = time.monotonic() + DEADLINE_S
    while missing := still_missing(chain, uid, choices.get(uid, {})):
        assert time.monotonic() < end_s, missing
        time.sleep(1)


def still_missing(chain: Live, uid: str, choices: dict[str, str]) -> list[str]:
    person = Grafana(chain.url, time.time(), scrape_s=1, choices=choices, span_s=SPAN_S)
    return [line for line in silent(person, dashboard(uid)) if not line.startswith(NEEDY)]
