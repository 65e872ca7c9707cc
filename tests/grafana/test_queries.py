"""Every query of every dashboard gets an answer from a real Prometheus with simulated nodes, and the right one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from fleet.fixture import Fleet
from fleet.plan import HOUR_S
from fleet.story import SGLANG_POD, VLLM_POD
from grafana.asking import UIDS, Answer, Grafana, dashboard, panels
from grafana.checking import silent

SERVING = ("Energy per generated token", "Generated tokens")
WHOLE_S = 26 * int(HOUR_S)
J_PER_KWH = 3.6e6
BOTH = {"job": "1001", "other": "1004"}


def person(fleet: Fleet, choices: Mapping[str, str] | None = None, span_s: int | None = None) -> Grafana:
    """Somebody at the end of the story; the time range is by default that of the dashboard."""
    return Grafana(fleet.url, fleet.end_unix_s, choices=choices or {}, span_s=span_s)


def shown(grafana: Grafana, uid: str, title: str) -> list[list[Answer]]:
    """The answers to the queries of one panel."""
    board = dashboard(uid)
    panel = next(panel for panel in panels(board) if re.fullmatch(rf"{title}( if a .*)?", panel["title"]))
    return [answers for _, answers in grafana.answers(board, panel)]


def by(label: str, answers: list[Answer]) -> dict[str, float]:
    """The last values by one label."""
    return {answer.labels.get(label, ""): answer.values[-1][1] for answer in answers}


def number(answers: list[Answer]) -> float:
    (only,) = answers
    return only.values[-1][1]


@pytest.mark.parametrize(
    ("uid", "choices"),
    [
        ("aipower-cluster", {}),
        ("aipower-cluster", {"instance": "node-c:9877"}),
        ("aipower-who", {}),
        ("aipower-who", {"user": "bob"}),
        ("aipower-who", {"team": "nlp"}),
        ("aipower-job", {"job": VLLM_POD, "other": SGLANG_POD}),
        ("aipower-node", {"instance": "node-a:9877"}),
        ("aipower-node", {"instance": "node-b:9877"}),
        ("aipower-node", {"instance": "node-c:9877"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.values()) or "all",
)
def test_every_query_of_every_panel_has_an_answer(fleet: Fleet, uid: str, choices: Mapping[str, str]) -> None:
    assert silent(person(fleet, choices), dashboard(uid)) == []


def test_a_job_without_servers_shows_all_but_its_tokens(fleet: Fleet) -> None:
    without = silent(person(fleet, BOTH), dashboard("aipower-job"))
    assert [line.partition(":")[0] for line in without] == list(SERVING)


@pytest.mark.parametrize("uid", UIDS)
def test_what_grafana_begins_with_shows_something(fleet: Fleet, uid: str) -> None:
    found = [line for line in silent(person(fleet), dashboard(uid)) if not line.startswith(SERVING)]
    assert found == []


def without_fallback(board: dict[str, Any]) -> dict[str, Any]:
    """Without what is shown where nothing is found: a wrong name would hide behind it."""
    for panel in panels(board):
        for target in panel["targets"]:
            target["expr"] = re.sub(r"aipower_(\w+)", r"aipowre_\1", target["expr"])
            target["expr"] = target["expr"].replace(" or vector(0)", "")
    return board


@pytest.mark.parametrize("uid", UIDS)
def test_wrong_names_have_no_answer(fleet: Fleet, uid: str) -> None:
    choices = {"instance": "node-a:9877", **BOTH}
    board = without_fallback(dashboard(uid))
    asked = [target for panel in panels(board) for target in panel["targets"]]
    assert len(silent(person(fleet, choices), board)) == len(asked)


@pytest.mark.parametrize("uid", UIDS)
def test_variables_offer_what_there_is(fleet: Fleet, uid: str) -> None:
    board, grafana = dashboard(uid), person(fleet, span_s=WHOLE_S)
    values = grafana.chosen(board)
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            found = grafana.offered(board, variable, values)
            assert found or variable["name"] == "cluster", variable["name"]
            assert len(set(found)) == len(found)


def test_jobs_are_offered_with_their_names(fleet: Fleet) -> None:
    board, grafana = dashboard("aipower-job"), person(fleet, {"system": "slurm"}, WHOLE_S)
    job = next(variable for variable in board["templating"]["list"] if variable["name"] == "job")
    found = dict(grafana.offered(board, job, {"cluster": ".*", "system": "slurm"}))
    assert found["1001 pretrain"] == "1001"
    assert set(found.values()) == {f"100{n}" for n in range(1, 8)}


@pytest.mark.parametrize("uid", ["aipower-cluster", "aipower-node"])
def test_marks_stand_where_agents_began_and_faults_were(fleet: Fleet, uid: str) -> None:
    board = dashboard(uid)
    _, starts, faults = board["annotations"]["list"]
    grafana = person(fleet, {"instance": "node-b:9877" if uid == "aipower-node" else ".*"}, WHOLE_S)
    began = {value for answer in grafana.marks(board, starts) for _, value in answer.values}
    assert starts["useValueForTime"] is True
    assert fleet.start_unix_s * 1000 in began
    assert {answer.labels["reason"] for answer in grafana.marks(board, faults)} >= {"read_failed"}


def test_a_job_shows_all_that_it_used_and_the_truth_is_in_its_interval(fleet: Fleet) -> None:
    low, energy, high = (
        number(found) for found in shown(person(fleet, BOTH), "aipower-job", "Energy, with its 95 % interval")
    )
    assert energy == pytest.approx(fleet.truth.jobs_j["slurm", "1001"] / J_PER_KWH, rel=1e-6)
    assert low < fleet.truth.drawn_j["slurm", "1001"] / J_PER_KWH < high


def test_two_jobs_side_by_side(fleet: Fleet) -> None:
    grafana = person(fleet, {"job": "1002", "other": "1003"})
    energy, _, lasted, nodes, held, unused = shown(grafana, "aipower-job", "Side by side")
    used = by("job", energy)
    assert used["1003"] / used["1002"] == pytest.approx(0.8, abs=0.02)
    assert by("job", lasted) == pytest.approx({"1002": 7200, "1003": 7200}, abs=600)
    assert by("job", nodes) == {"1002": 1, "1003": 1}
    assert by("job", held) == pytest.approx({"1002": 2, "1003": 2}, abs=0.1)
    assert by("job", unused) == pytest.approx({"1002": 0, "1003": 0}, abs=0.01)


def test_energy_per_token_is_that_of_the_pod(fleet: Fleet) -> None:
    ((answer,),) = shown(person(fleet, {"job": VLLM_POD, "other": SGLANG_POD}), "aipower-job", SERVING[0])
    values = [value for _, value in answer.values]
    whole = fleet.truth.jobs_j["kubernetes", VLLM_POD] / fleet.truth.tokens["vllm-llama-0"]
    assert sum(values) / len(values) == pytest.approx(whole, rel=0.05)


def test_the_whole_story_sums_to_the_truth_by_user_team_and_job(fleet: Fleet) -> None:
    grafana, truth = person(fleet, span_s=WHOLE_S), fleet.truth
    users, teams, jobs = (by(*ask(grafana, name)) for name in ("user", "team", "job"))
    # increase() goes from sample to sample: of the first and the last window a little is missing.
    assert users == pytest.approx({name: j / J_PER_KWH for name, j in truth.users_j.items()}, rel=0.02, abs=0.01)
    assert teams.pop("none") > 0
    assert teams == pytest.approx({name: j / J_PER_KWH for name, j in truth.teams_j.items()}, rel=1e-6)
    assert jobs == pytest.approx({job: j / J_PER_KWH for (_, job), j in truth.jobs_j.items()}, rel=1e-6)


def ask(grafana: Grafana, name: str) -> tuple[str, list[Answer]]:
    return name, shown(grafana, "aipower-who", f"{name.capitalize()}s")[0]


def test_a_job_that_began_before_the_range_has_only_its_part_in_a_ranking(fleet: Fleet) -> None:
    """1001 ran from hour 1 to hour 9, evenly: in the last 21 hours it had half of its energy."""
    used, whole, *_ = shown(person(fleet, span_s=21 * int(HOUR_S)), "aipower-who", "Jobs")
    assert by("job", used)["1001"] == pytest.approx(by("job", whole)["1001"] / 2, rel=0.01)
    assert "1004" in by("job", used)


def test_choosing_a_team_leaves_only_what_is_theirs(fleet: Fleet) -> None:
    grafana = person(fleet, {"team": "vision"}, WHOLE_S)
    teams, jobs = by(*ask(grafana, "team")), by(*ask(grafana, "job"))
    assert teams == pytest.approx({"vision": fleet.truth.teams_j["vision"] / J_PER_KWH}, rel=1e-6)
    assert jobs.keys() == {"1004", "1005", "1007"}


def test_what_is_held_without_use_is_told_with_its_idle_energy(fleet: Fleet) -> None:
    """Job 1005 held a GPU of 72 W idle for six hours without work."""
    *_, hours, idle = shown(person(fleet, span_s=WHOLE_S), "aipower-who", "Users")
    assert by("user", hours)["bob"] == pytest.approx(6, abs=0.1)
    assert by("user", idle)["bob"] == pytest.approx(6 * 0.072, rel=0.1)
    held_now = by("job", shown(person(fleet), "aipower-cluster", "GPUs that a job holds now.*")[0])
    assert held_now["1005"] == 1
    assert held_now["1006"] == pytest.approx(0, abs=0.01)


def test_cost_and_carbon_follow_what_is_typed_in(fleet: Fleet) -> None:
    grafana = person(fleet, {"price": "0.5", "pue": "1.2", "intensity": "100"})
    energy, cost, carbon = (
        number(shown(grafana, "aipower-cluster", title)[0]) for title in ("Energy", "Cost", "CO2e")
    )
    assert cost == pytest.approx(energy * 0.5 * 1.2)
    assert carbon == pytest.approx(energy * 100 * 1.2)


def test_shares_by_system_are_all_energy(fleet: Fleet) -> None:
    grafana = person(fleet, span_s=WHOLE_S)
    by_system = by("system", shown(grafana, "aipower-cluster", "Energy by system")[0])
    assert by_system.keys() == {"slurm", "kubernetes", "systemd", "none", "idle"}
    assert sum(by_system.values()) == pytest.approx(sum(fleet.truth.nodes_j.values()) / J_PER_KWH, rel=0.01)


def test_a_silent_node_is_counted(fleet: Fleet) -> None:
    """node-c could not be reached from hour 14 to hour 16."""
    at = Grafana(fleet.url, fleet.start_unix_s + 15 * HOUR_S, span_s=12 * int(HOUR_S))
    assert number(shown(at, "aipower-cluster", "Silent nodes")[0]) == 1
    states = next(
        panel
        for panel in panels(dashboard("aipower-cluster"))
        if panel["title"] == "Nodes" and panel["type"] == "table"
    )
    _, answers = next(at.answers(dashboard("aipower-cluster"), states))
    assert by("instance", answers) == {"node-a:9877": 1, "node-b:9877": 1, "node-c:9877": 0}
