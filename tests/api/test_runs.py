"""Runs that the agent meters and runs that have records are one list."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from aipower.model import RunEnergy
from aipower.site.sources import KeptRun
from api.clients import client
from api.worlds import KEPT, START_UNIX_S, FakeScales, FakeShelf, World, world

RUNS = "/api/v1/runs"


def runs(it: World) -> dict[str, Any]:
    return {run["run_id"]: run for run in client(it.sources()).get(RUNS)["runs"]}


def test_a_run_that_goes_on_is_told_by_the_agent() -> None:
    it = world()
    run = runs(it)["run-0"]
    process = next(p for p in client(it.sources()).get("/api/v1/processes")["processes"] if p["run"] == "run-0")
    assert (run["state"], run["report"], run["exit_code"], run["user"]) == ("going", None, None, "user0")
    assert run["power_w"] == pytest.approx(process["power_w"], abs=0.001)
    assert (run["started_unix_s"], run["wall_s"]) == (START_UNIX_S - 100, 100.0)
    assert run["energy_j"] == 4000.0, "1000 J of each of four devices; that of the platform contains them"
    low, high = run["interval_j"]
    scale_j = (100**2 + 50**2 + 50**2) ** 0.5
    assert (high - low) / 2 == pytest.approx(scale_j, rel=1e-3)


def test_a_run_that_has_ended_is_told_by_its_record() -> None:
    it = world()
    assert it.snapshot is not None
    it.snapshot = replace(
        it.snapshot, runs=tuple(replace(row, run="run-old", ended_s=9.0) for row in it.snapshot.runs)
    )
    run = runs(it)["run-old"]
    assert run == {
        "run_id": "run-old", "name": "llama <b>", "user": "user0", "state": "ended", "power_w": None,
        "energy_j": 1234.5, "interval_j": [1200.0, 1270.0], "started_unix_s": START_UNIX_S - 9000, "wall_s": 60.5,
        "exit_code": 0, "report": "/runs/run-old",
    }  # fmt: skip


def test_a_run_without_a_record_has_no_report() -> None:
    it = world()
    it.shelf = FakeShelf()
    run = runs(it)["run-0"]
    assert (run["state"], run["report"], run["energy_j"], run["wall_s"]) == ("going", None, 4000.0, 99.0)
    assert it.snapshot is not None
    it.snapshot = replace(it.snapshot, runs=tuple(replace(row, ended_s=9.0) for row in it.snapshot.runs))
    assert (runs(it)["run-0"]["state"], runs(it)["run-0"]["wall_s"]) == ("ended", None)


def test_a_run_that_was_killed_has_no_report() -> None:
    run = runs(world())["run-dead"]
    assert (run["state"], run["report"], run["energy_j"], run["wall_s"]) == ("killed", None, None, None)


def test_the_newest_comes_first() -> None:
    assert list(runs(world())) == ["run-0", "run-old", "run-dead"]


def test_an_agent_that_shows_no_records_does_not_look() -> None:
    it = world()
    it.shelf = FakeShelf(KEPT, "run_records is none")
    document = client(it.sources()).get(RUNS)
    assert (document["records"], document["hidden"], it.shelf.asked) == (False, "run_records is none", 0)
    assert [run["run_id"] for run in document["runs"]] == ["run-0"]


def test_an_id_is_quoted_in_the_path_of_its_report() -> None:
    it = world()
    it.shelf = FakeShelf((KeptRun("a/../b?c", "x", "ended", 5.0),))
    assert runs(it)["a/../b?c"]["report"] == "/runs/a%2F..%2Fb%3Fc"


def test_a_scale_that_is_not_known_leaves_no_interval() -> None:
    it = world()
    it.scales = FakeScales(unknown=("dram-0",))
    assert runs(it)["run-0"]["interval_j"] is None


def test_a_run_on_devices_outside_of_the_total_only_is_no_energy() -> None:
    it = world()
    assert it.snapshot is not None
    psys = it.snapshot.devices[-1].device
    it.snapshot = replace(it.snapshot, runs=(RunEnergy("run-0", "x", "ada", psys, 5),))
    run = runs(it)["run-0"]
    assert (run["energy_j"], run["interval_j"]) == (None, None)


def test_all_clients_together_look_at_files_every_two_seconds() -> None:
    it = world()
    api = client(it.sources())
    first = api.version(RUNS)
    assert api.version(RUNS) == first
    it.clock.go(2.0)
    assert api.version(RUNS) != first
    assert it.shelf.asked == 0, "a version costs no look at files"
    assert [run.state for run in KEPT] == ["going", "ended", "killed"]
