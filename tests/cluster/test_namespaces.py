"""Several agents as several nodes, each in a network namespace of its own, and one Prometheus; one node is cut off."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cluster.network import Network, namespaces, network, visitor
from cluster.promserver import DEADLINE_S, Server, prometheus

NODES, CUT = 3, 1
PORT = 9877
INTERVAL_S = 0.2
SCRAPE_S = 2
MISSED = 4
"""Scrapes of the node that fail."""
LEAST_W = 60.0
"""What a simulated GPU draws at rest, at least."""
CUT_OFF = f"10.99.{CUT}.2:{PORT}"
GPU = "GPU-fake-0"
ALERTS = Path(__file__).parents[2] / "config" / "prometheus" / "aipower.alerts.yml"
POWER = 'sum by (instance) (aipower_device_power_watts{kind=~"gpu|cpu|dram"})'
COVERED = 'sum(up{job="aipower"}) / count(up{job="aipower"})'
LEFT = (
    'sum by (device) (aipower_device_energy_joules_total{{instance="{instance}"}})'
    ' - sum by (device) (aipower_device_component_energy_joules_total{{instance="{instance}"}})'
)
RESETS = 'resets(aipower_device_energy_joules_total{{instance="{instance}"}}[5m])'
ENERGY = f'aipower_device_energy_joules_total{{device="{GPU}"}}'


@dataclass(frozen=True, slots=True)
class Moment:
    """What a Prometheus says at one moment."""

    up: dict[str, float]
    power_w: dict[str, float]
    covered: float
    energy_j: dict[str, float]
    alerts: frozenset[str]
    """The instances for which an agent-down alert's expression is true."""


@dataclass(frozen=True, slots=True)
class Story:
    """What was seen before, while and after one node was cut off."""

    before: Moment
    early: Moment
    """As soon as Prometheus had noticed."""
    late: Moment
    after: Moment
    energies_j: dict[str, list[tuple[float, float]]]
    """All samples of the counter of one GPU, by instance, with their unix times."""
    left_j: dict[str, float]
    """The whole of each device of the node that was cut off, less its four components."""
    resets: dict[str, float]
    own_j: tuple[float, float]
    """The same counter on the node's own page, soon after it was cut off and just before it came back."""
    agents_alive: list[bool]


def instance(made: Network, number: int) -> str:
    return f"{made.address(number)}:{PORT}"


def down_expression() -> str:
    """Of the alert that tells of an agent that is down."""
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    (found,) = [rule["expr"] for rule in rules if rule.get("alert") == "AipowerAgentDown"]
    return str(found)


@contextlib.contextmanager
def agents(made: Network, folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A real agent in each node, which any address reaches; ended by their pids."""
    flags = ["--sensors", "fake:2", "--state-dir", "none", "--socket", "none", "--web-config", ""]
    pace = ["--interval-s", str(INTERVAL_S), "--process-interval-s", str(INTERVAL_S)]
    command = [sys.executable, "-m", "aipower", "agent", "--listen", f"0.0.0.0:{PORT}", *flags, *pace]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(made.nodes):
            with (folder / f"agent-{number}.log").open("wb") as log:
                running.append(subprocess.Popen(made.inside(made.node(number), command), stderr=log, cwd=folder))
        for number, process in enumerate(running):
            await_served(process, folder / f"agent-{number}.log")
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def await_served(process: subprocess.Popen[bytes], log: Path) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while "serves http://" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end_s, log.read_text()
        time.sleep(0.05)


@contextlib.contextmanager
def watched(made: Network, folder: Path) -> Iterator[Server]:
    """A Prometheus in the hub that scrapes all nodes."""
    targets = [{"targets": [instance(made, number) for number in range(made.nodes)]}]
    config = {
        "global": {"scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": f"{SCRAPE_S}s"},
        "scrape_configs": [{"job_name": "aipower", "honor_labels": True, "static_configs": targets}],
    }
    with (
        visitor(made.hub) as fetch,
        prometheus(
            folder, config, "127.0.0.1:9090", wrap=lambda command: made.inside(made.hub, command), fetch=fetch
        ) as server,
    ):
        yield server


def look(server: Server, down: str) -> Moment:
    return Moment(
        server.values('up{job="aipower"}', "instance"),
        server.values(POWER, "instance"),
        float(server.ask(COVERED)[0]["value"][1]),
        server.values(ENERGY, "instance"),
        frozenset(server.values(down, "instance")),
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("nodes")
    down = down_expression()
    with network(NODES) as made, agents(made, folder) as running, watched(made, folder) as server:
        yield tell(made, running, server, down)


def tell(made: Network, running: list[subprocess.Popen[bytes]], server: Server, down: str) -> Story:
    cut = instance(made, CUT)
    server.until(f"count(count_over_time({ENERGY}[1m]) >= 3) == {NODES}")
    before = look(server, down)
    made.cut(CUT)
    up = f'up{{instance="{cut}"}}'
    server.until(f"{up} == 0")
    early, first_j = look(server, down), own_j(made)
    server.until(f"count_over_time({up}[5m]) - sum_over_time({up}[5m]) >= {MISSED}")
    late, last_j = look(server, down), own_j(made)
    made.join(CUT)
    server.until(f"min_over_time({up}[{3 * SCRAPE_S}s]) == 1 and count_over_time({up}[{3 * SCRAPE_S}s]) >= 2")
    return Story(
        before,
        early,
        late,
        look(server, down),
        {row["metric"]["instance"]: pairs(row) for row in server.ask(f"{ENERGY}[5m]")},
        server.values(LEFT.format(instance=cut), "device"),
        server.values(RESETS.format(instance=cut), "device"),
        (first_j, last_j),
        [process.poll() is None for process in running],
    )


def own_j(made: Network) -> float:
    """The counter of the GPU on the page of the node that is cut off, read on the node."""
    with visitor(made.node(CUT)) as there:
        page = there(lambda: httpx.get(f"http://127.0.0.1:{PORT}/metrics", timeout=DEADLINE_S)).text
    (line,) = [line for line in page.splitlines() if line.startswith(ENERGY[:-1])]
    return float(line.rpartition(" ")[2])


def pairs(row: Mapping[str, Any]) -> list[tuple[float, float]]:
    return [(float(at_s), float(value)) for at_s, value in row["values"]]


def test_the_cut_off_node_is_down_and_the_others_go_on(story: Story) -> None:
    assert set(story.before.up.values()) == set(story.after.up.values()) == {1.0}
    for moment in (story.early, story.late):
        assert {name for name, up in moment.up.items() if up == 0} == {CUT_OFF}
    assert all(story.agents_alive)
    grown_j = {name: story.late.energy_j[name] - energy_j for name, energy_j in story.early.energy_j.items()}
    assert set(grown_j) == set(story.before.energy_j) - {CUT_OFF}
    assert min(grown_j.values()) > 0


def test_sums_over_the_cluster_are_of_those_who_answer_and_the_share_of_them_is_known(story: Story) -> None:
    assert set(story.before.power_w) == set(story.after.power_w) == set(story.before.up)
    for moment in (story.early, story.late):
        assert set(moment.power_w) == set(story.before.up) - {CUT_OFF}, "the last power must not stay"
        assert moment.covered == pytest.approx((NODES - 1) / NODES)
    assert story.before.covered == story.after.covered == 1


def test_the_alert_of_a_down_agent_is_true_meanwhile_and_for_that_node_only(story: Story) -> None:
    assert story.before.alerts == story.after.alerts == frozenset()
    assert story.early.alerts == story.late.alerts == {CUT_OFF}


def test_the_counter_has_lost_nothing_of_the_gap(story: Story) -> None:
    """The agent of the node went on, as its own page said meanwhile; the first sample after the gap has all of it."""
    samples = story.energies_j[CUT_OFF]
    gaps = [pair for pair in itertools.pairwise(samples) if pair[1][0] - pair[0][0] > MISSED * SCRAPE_S]
    (((_, before_j), (_, after_j)),) = gaps
    first_j, last_j = story.own_j
    assert before_j <= first_j < last_j <= after_j
    assert last_j - first_j > LEAST_W * MISSED * SCRAPE_S / 4
    assert samples[-1][1] - samples[0][1] >= after_j - before_j >= last_j - first_j


@pytest.mark.parametrize("number", range(NODES))
def test_no_counter_falls_and_only_that_of_the_node_has_a_gap(story: Story, number: int) -> None:
    samples = story.energies_j[f"10.99.{number}.2:{PORT}"]
    assert [energy_j for _, energy_j in samples] == sorted(energy_j for _, energy_j in samples)
    longest_s = max(after_s - before_s for (before_s, _), (after_s, _) in itertools.pairwise(samples))
    assert (longest_s > MISSED * SCRAPE_S) == (number == CUT)


def test_the_sums_of_the_node_hold_after_the_gap(story: Story) -> None:
    assert story.left_j == pytest.approx(dict.fromkeys(story.left_j, 0.0), abs=1e-6)
    assert len(story.left_j) == len(story.resets) == 4
    assert set(story.resets.values()) == {0.0}


def test_nothing_is_left_of_a_network_after_a_failure() -> None:
    found: list[str] = []

    def fail() -> None:
        with network(2) as made:
            found.extend(name for name in namespaces() if name.startswith(made.name))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(found) == 3
    assert not set(found) & set(namespaces())
