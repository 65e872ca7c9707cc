"""5,000 short processes an hour, and as many jobs: the page stays within its cap, the sums exact, the memory flat."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from aipower_exporters.metrics import METRICS
from benchmarks.cluster.cap import most_series
from benchmarks.cluster.churn import Node, faults_of
from benchmarks.cluster.world import Churn

MOST = 25
SECONDS = 1000.0
SETTLED_S = 500.0
"""The first processes have long left the page then, `retention_s` after their end."""
WINDOW_S = 10.0
COUNTERS = {metric.name.removesuffix("_total"): metric.name for metric in METRICS if metric.type == "counter"}


@dataclass
class Seen:
    """What was seen of a node over its time."""

    node: Node
    most: dict[str, int] = field(default_factory=dict)
    """The most series of each metric that a page had; with those of created timestamps apart."""
    wrong: list[str] = field(default_factory=list)
    fallen: list[str] = field(default_factory=list)
    lost_uj: list[int] = field(default_factory=list)
    objects: dict[float, int] = field(default_factory=dict)
    folded: float = 0.0


def values(page: str) -> dict[str, float]:
    """Of each series of counters."""
    lines = (line.rpartition(" ") for line in page.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, _, value in lines if series.partition("{")[0].endswith("_total")}


@pytest.fixture(scope="module", params=["processes", "jobs"])
def seen(request: pytest.FixtureRequest) -> Seen:
    node = Node(Churn(gpus=1, jobs=request.param == "jobs"), MOST, MOST)
    first_uj = {sensor.device.id: sensor.counter_uj(node.clock.now_s) for sensor in node.sensors}
    found, before = Seen(node), dict[str, float]()
    for look in node.run(SECONDS, WINDOW_S):
        for name, count in look.series().items():
            found.most[name] = max(found.most.get(name, 0), count)
        found.wrong += faults_of(look.snapshot)
        now = values(look.page)
        found.fallen += [series for series, value in before.items() if now.get(series, value) < value]
        found.lost_uj += left_uj(node, first_uj)
        before = now
        if look.at_s >= SETTLED_S:
            gc.collect()
            found.objects[look.at_s] = len(gc.get_objects())
    found.folded = before["aipower_agent_folded_series_total"]
    return found


def left_uj(node: Node, first_uj: Mapping[str, int]) -> list[int]:
    """What the hardware has counted of each device, less what the ledger has and what waits for its window."""
    found = []
    for device, position in node.meter.positions().items():
        assert position.counter_uj is not None
        counted_uj = position.counter_uj - first_uj[device]
        found.append(counted_uj - position.pending_uj - node.ledger.totals(device).energy_uj)
    return found


def test_no_metric_has_more_series_than_its_cap(seen: Seen) -> None:
    most = most_series(seen.node.bounds)
    created = {f"{name}_created": most[total] for name, total in COUNTERS.items()}
    for name, count in seen.most.items():
        assert count <= {**most, **created}[name], name


def test_the_cap_is_what_holds_them(seen: Seen) -> None:
    assert seen.node.population.born > SECONDS / 3600 * 5000 * 0.9
    assert seen.most["aipower_process_info"] == MOST
    assert seen.folded > 100


def test_the_sums_are_exact_to_the_microjoule_at_every_scrape(seen: Seen) -> None:
    assert seen.wrong == []
    assert set(seen.lost_uj) == {0}


def test_no_counter_falls_while_it_is_on_the_page(seen: Seen) -> None:
    assert seen.fallen == []


def test_what_the_agent_remembers_does_not_grow(seen: Seen) -> None:
    counts = list(seen.objects.values())
    half = len(counts) // 2
    assert half > 10
    assert max(counts[half:]) < 1.1 * max(counts[:half])
