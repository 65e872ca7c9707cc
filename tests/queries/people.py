"""What the answers about people, money and waste must be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import pytest

from fleet.plan import BOXES, Box
from fleet.story import story
from queries.asked import END_S, KWH_J, Asked

FIRST_SCRAPE = 0.01
"""`increase()` loses what a user had used before the first scrape."""


def users_of_a_month(asked: Asked) -> None:
    wanted = {user: energy_j / KWH_J for user, energy_j in asked.fleet.truth.users_j.items()}
    found = asked.one("user")
    assert found == pytest.approx(wanted, rel=FIRST_SCRAPE)
    assert asked.one("user", number=1) == pytest.approx(wanted, rel=1e-6)
    # There is no data from a month ago; 20 hours ago there was.
    ways = [asked.fleet.by("user", query.replace("30d", "20h")) for query in asked.question.queries]
    assert ways[0] == pytest.approx(ways[1], rel=3 * FIRST_SCRAPE)
    assert ways[1]["alice"] < 0.7 * wanted["alice"]
    assert {"alice", "bob", "carol", "serve", "svc", "root"} <= found.keys()


def users_over_a_budget(asked: Asked) -> None:
    wanted = {user: used_j / KWH_J for user, used_j in asked.fleet.truth.users_j.items() if used_j > 5 * KWH_J}
    assert 0 < len(wanted) < len(asked.fleet.truth.users_j)
    assert asked.one("user") == pytest.approx(wanted, rel=FIRST_SCRAPE)


def teams(asked: Asked) -> None:
    wanted = {team: 0.25 * energy_j / KWH_J for team, energy_j in asked.fleet.truth.teams_j.items()}
    assert asked.one("team") == pytest.approx(wanted, rel=1e-6)
    assert wanted.keys() == {"nlp", "vision", "serving"}


def users_of_a_node(asked: Asked) -> None:
    truth, node = asked.fleet.truth, "node-a:9877"
    whole_j = truth.nodes_j[node]
    wanted = {user: used_j / whole_j for (name, user), used_j in truth.users_by_instance_j.items() if name == node}
    assert asked.one("user") == pytest.approx(wanted, rel=FIRST_SCRAPE)
    assert sum(wanted.values()) < 1


def nobody(asked: Asked) -> None:
    truth = asked.fleet.truth
    whole_j, idle_j = math.fsum(truth.devices_j.values()), math.fsum(truth.idle_j.values())
    rest_j = whole_j - idle_j - math.fsum(truth.users_j.values())
    assert asked.one("component") == pytest.approx(
        {"idle": idle_j / whole_j, "unattributed": rest_j / whole_j}, rel=1e-6, abs=1e-9
    )
    # The story: GPUs of 72 W and 2 W more for each index, 3 processors of 55 W, 2 memories of 9 W.
    assert idle_j == pytest.approx(929 * 26 * 3600, rel=0.01)


def all_adds_up(asked: Asked) -> None:
    missing_j = asked.by("instance", "device")
    assert missing_j.keys() == asked.fleet.truth.devices_j.keys()
    assert max(map(abs, missing_j.values())) < 1e-4


def idle_gpus(asked: Asked) -> None:
    """The story: 72 W of each GPU, at work or not; it was learned before the agent of `node-a` was restarted."""
    wanted = {box.instance: box.gpus * 72 * 24 * 3600 / KWH_J for box in BOXES}
    assert asked.one("instance") == pytest.approx(wanted, rel=0.06)


def gpus_of_nobody(asked: Asked) -> None:
    """The story: 72 W of each GPU, for as long as no process is there. Changes are seen five minutes late."""
    wanted = {box.instance: 72 * math.fsum(alone_s(box)) / KWH_J for box in BOXES[:2]}
    found = asked.one("instance")
    node_c = found.pop("node-c:9877")
    assert found == pytest.approx(wanted, rel=0.06)
    # One of its two GPUs is free until hour 17, less two hours in which nobody sees the node.
    assert node_c == pytest.approx(72 * 13 * 3600 / KWH_J, rel=0.06)


def alone_s(box: Box) -> Iterator[float]:
    """For how long each GPU had no process in the last 24 hours, in seconds."""
    minutes = [END_S - 60 * number for number in range(24 * 60)]
    works = [work for work in story() if work.node == box.name]
    for number in range(box.gpus):
        here = [work for work in works if box.gpu(number) in {load.device for load in work.loads}]
        yield 60.0 * sum(not any(work.begin_s <= at_s < work.end_s for work in here) for at_s in minutes)


def unused_now(asked: Asked) -> None:
    assert asked.by("system", "job", "user") == pytest.approx({("slurm", "1005", "bob"): 1.0}, rel=0.01)


def unused_hours(asked: Asked) -> None:
    users = {row.user for row in asked.fleet.truth.rows if row.owner.job and row.device.kind == "gpu"}
    wanted = {
        user: asked.sum(lambda row, user=user: row.user == user, lambda row: row.unused_s) / 3600  # type: ignore[misc]
        for user in users
    }
    assert asked.one("user") == pytest.approx(wanted, rel=1e-6, abs=1e-9)
    # The story: the notebook of `bob`, since hour 20.
    assert wanted["bob"] == pytest.approx(6, abs=0.1)


ANSWERS: Mapping[str, Callable[[Asked], None]] = {
    "How much does each user use in a month?": users_of_a_month,
    "Which users are over a budget of 5 kWh a month?": users_over_a_budget,
    "What does each team cost?": teams,
    "How much of a node does each user have?": users_of_a_node,
    "Which part can nobody be charged with?": nobody,
    "Does it all add up?": all_adds_up,
    "How much energy do idle GPUs waste?": idle_gpus,
    "How much of that is of GPUs that nobody uses or holds?": gpus_of_nobody,
    "Who holds GPUs without using them now?": unused_now,
    "How many GPU-hours were held and not used, and by whom?": unused_hours,
}
