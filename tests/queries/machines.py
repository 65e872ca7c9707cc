"""What the answers about power, totals and missing data must be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pytest

from fleet.plan import HOUR_S, HOURS
from queries.asked import (
    END_S,
    INCREASE,
    KWH_J,
    WH_J,
    Asked,
    assert_five,
    drawn_j,
    of_instances,
    peak_w,
    powers_w,
    working,
)

NODES = {"node-a:9877", "node-b:9877", "node-c:9877"}
DAY_H = (HOURS - 24, HOURS)


def five_processes_now(asked: Asked) -> None:
    found = {
        (instance, comm, user): value
        for (instance, _, comm, user), value in asked.by("instance", "pid", "comm", "user").items()
    }
    assert_five(found, {(f"{work.node}:9877", work.comm, work.user): work for work in working()})


def peak_of_the_cluster(asked: Asked) -> None:
    assert asked.value() == pytest.approx(peak_w(DAY_H[0]), rel=1e-6)


def peak_of_a_rack(asked: Asked) -> None:
    peak = peak_w(DAY_H[0], lambda name: name.startswith(("node-a", "node-b")))
    assert asked.value() == pytest.approx(peak, rel=1e-6)
    assert peak < peak_w(DAY_H[0])


def near_the_limit(asked: Asked) -> None:
    """While the job 1001 works: its GPUs draw 652 W of 700 W, and that of the job 1004 692 W."""
    at_h = 5.0
    shares = {key: power_w / 700 for key, power_w in powers_w(at_h * HOUR_S).items() if key[1].startswith("GPU")}
    wanted = {key: share for key, share in shares.items() if share > 0.9}
    assert len(wanted) == 5
    assert asked.by("instance", "device", at_h=at_h) == pytest.approx(wanted, rel=1e-6)
    assert asked.by("instance", "device") == {}


def power_and_cover(asked: Asked) -> None:
    for at_h, nodes in ((HOURS, 3), (15.0, 2)):
        seen_w = math.fsum(powers_w(at_h * HOUR_S).values())
        assert asked.value(at_h) == pytest.approx(seen_w * 3 / nodes, rel=1e-6)


def share_of_nodes(asked: Asked) -> None:
    nodes_j = of_instances(drawn_j(*DAY_H))
    whole_j = math.fsum(nodes_j.values())
    assert asked.one("instance") == pytest.approx({name: j / whole_j for name, j in nodes_j.items()}, rel=INCREASE)


def models(asked: Asked) -> None:
    gpus_j = math.fsum(j for (_, device), j in drawn_j(*DAY_H).items() if device.startswith("GPU"))
    (energy_kwh,) = asked.one("name").values()
    assert energy_kwh == pytest.approx(gpus_j / KWH_J, rel=INCREASE)


def days(asked: Asked) -> None:
    """As a range that ends a day and an hour, and a day, after the start: each point is of the 24 hours before it."""
    fleet = asked.fleet
    (series,) = fleet.query_range(asked.query(), fleet.end_unix_s - HOUR_S, fleet.end_unix_s, HOUR_S)
    wanted = [math.fsum(drawn_j(at_h - 24, at_h).values()) / KWH_J for at_h in (HOURS - 1, HOURS)]
    assert [value for _, value in series.values] == pytest.approx(wanted, rel=INCREASE)


def carbon(asked: Asked) -> None:
    assert asked.value() == pytest.approx(0.38 * math.fsum(drawn_j(*DAY_H).values()) / KWH_J, rel=INCREASE)


def since_a_moment(asked: Asked) -> None:
    """1768456800 is hour 20 of the story."""
    assert (1768456800 - asked.fleet.start_unix_s) / HOUR_S == 20
    nodes_j = of_instances(drawn_j(20, HOURS))
    assert asked.one("instance") == pytest.approx({name: j / WH_J for name, j in nodes_j.items()}, rel=1e-6)


def since_counting_began(asked: Asked) -> None:
    nodes_j = asked.fleet.truth.nodes_j
    assert asked.one("instance") == pytest.approx({name: j / KWH_J for name, j in nodes_j.items()}, rel=1e-6)
    drawn = of_instances(drawn_j(0, HOURS))
    assert nodes_j == pytest.approx(drawn, rel=0.001)
    assert asked.one("instance", number=1) == pytest.approx(dict.fromkeys(NODES, END_S), abs=1)


def silent_nodes(asked: Asked) -> None:
    assert asked.one("instance", at_h=15.0) == {"node-c:9877": 0.0}
    assert asked.one("instance") == {}


def silent_hours(asked: Asked) -> None:
    found = asked.one("instance")
    # `node-c` was cut off for two hours; the agent of `node-a` was restarted.
    assert found == pytest.approx({"node-a:9877": 0.0, "node-b:9877": 0.0, "node-c:9877": 2.0}, abs=0.06)
    assert 0 == found["node-b:9877"] < found["node-a:9877"]


def sensors_that_fail(asked: Asked) -> None:
    assert asked.one("device", at_h=16.5) == {"GPU-bbbbbbbb-0000-0000-0000-000000000001": 0.0}
    assert asked.one("device") == {}


def not_measured(asked: Asked) -> None:
    assert list(asked.by("instance", "kind")) == [("node-c:9877", "dram")]


def the_agent_itself(asked: Asked) -> None:
    """The simulated agents use 4 ms of a second and 42 MB."""
    assert asked.one("instance") == pytest.approx(dict.fromkeys(NODES, 0.4), rel=1e-3)
    assert asked.one("instance", number=1) == pytest.approx(dict.fromkeys(NODES, 42.0), rel=1e-6)


ANSWERS: Mapping[str, Callable[[Asked], None]] = {
    "Which five processes draw most now?": five_processes_now,
    "What was the peak power of the cluster?": peak_of_the_cluster,
    "What was the peak power of a rack?": peak_of_a_rack,
    "Which GPUs are near their power limit?": near_the_limit,
    "How much power does each node draw, and what part of the cluster answers?": power_and_cover,
    "What share of the cluster's energy does each node use?": share_of_nodes,
    "How much energy does each model of GPU use?": models,
    "How many kilowatt-hours does the cluster use each day of a month?": days,
    "How much CO2 is that?": carbon,
    "How much was used since a moment, such as a reboot or a deployment?": since_a_moment,
    "How much was used since counting began, and when was that?": since_counting_began,
    "Which nodes do not report?": silent_nodes,
    "For how many hours could a node not be reached today?": silent_hours,
    "Which sensors fail?": sensors_that_fail,
    "What is not measured?": not_measured,
    "What does aipower itself cost?": the_agent_itself,
}
