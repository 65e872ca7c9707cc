"""What the page says is what the API says, to the digits that are shown. Nothing moves while both are asked."""

from __future__ import annotations

import pytest

from live.conftest import Opener
from live.figures import number, tells

POWER, SHARE, ENERGY = 4, 6, 7
"""Columns of the table of processes."""
WINDOWED = 60
"""A longer table has only the rows in the page that are in sight of its box."""
ENERGIES = ".card-foot > span:first-child"


def test_totals_are_those_of_the_api(opened: Opener) -> None:
    page = opened("usual")
    snapshot = page.served.get("/api/v1/snapshot").json()
    total = snapshot["total"]
    shown = page.texts(".totals dd > span:first-child")
    assert tells(shown[0], total["power_w"])
    assert tells(shown[1], total["energy_j"])
    assert f"{snapshot['footprint']['cost']:.3f} EUR" == shown[2]
    assert total["power_w"] == pytest.approx(
        sum(one["power_w"] for one in snapshot["devices"] if one["summed"]), abs=0.01
    )


def test_cards_have_the_power_and_energy_of_each_device(opened: Opener) -> None:
    page = opened("sixteen")
    devices = {one["id"]: one for one in page.served.get("/api/v1/snapshot").json()["devices"]}
    titles = page.run("[...document.querySelectorAll('.card-name')].map((one) => one.title.split(' · ')[1])")
    assert isinstance(titles, list)
    assert sorted(titles) == sorted(devices)
    for device, power, energy in zip(titles, page.texts(".card-power"), page.texts(ENERGIES), strict=True):
        assert tells(power, devices[device]["power_w"])
        assert tells(energy.split(" ±")[0], devices[device]["energy_j"])


@pytest.mark.parametrize("name", ["one", "usual", "crowd"])
def test_rows_of_processes_are_those_of_the_api(opened: Opener, name: str) -> None:
    page = opened(name)
    processes = page.served.get("/api/v1/processes").json()["processes"]
    told = {str(one["pid"]): one for one in processes}
    rows = page.rows("#processes tbody > tr:not(.gap)")
    listed = min(100, len(processes))
    if listed > WINDOWED:
        # Those out of sight of the table's box are not in the page, but they are told of.
        assert page.run("document.querySelector('#processes table').getAttribute('aria-rowcount')") == str(listed + 1)
        assert [row[1] for row in rows] == [str(one["pid"]) for one in processes[: len(rows)]]
    assert len(rows) == listed or listed > WINDOWED > len(rows) > 10
    for row in rows:
        process = told[row[1]]
        assert (row[0], row[2]) == (process["comm"], process["user"])
        assert tells(row[POWER], process["power_w"])
        assert tells(row[SHARE], process["share"])
        assert tells(row[ENERGY], process["energy_j"])
    powers = [told[row[1]]["power_w"] for row in rows]
    assert powers == sorted(powers, reverse=True)


@pytest.mark.parametrize(
    ("name", "view"), [("one", ""), ("usual", ""), ("usual", "#filter=train"), ("crowd", "#filter=007")]
)
def test_foot_and_rows_sum_to_the_whole(opened: Opener, name: str, view: str) -> None:
    page = opened(name, view)
    document = page.served.get("/api/v1/processes").json()
    foot = {row[0].split()[0]: row for row in page.rows("#processes tfoot tr")}
    rows = page.rows("#processes tbody > tr:not(.gap)")
    whole = foot.pop("total")
    assert tells(whole[POWER], document["total_w"])
    assert tells(whole[ENERGY], document["total_j"])
    for account in document["accounts"]:
        assert tells(foot[account["name"]][POWER], account["power_w"])
        assert tells(foot[account["name"]][ENERGY], account["energy_j"])
    # Each of them is rounded to what is shown.
    parts = [*rows, *foot.values()]
    assert sum(number(row[POWER]) for row in parts) == pytest.approx(number(whole[POWER]), abs=0.06 * len(parts))
    assert sum(number(row[ENERGY]) for row in parts) == pytest.approx(number(whole[ENERGY]), rel=0.005)


def test_jobs_are_those_of_the_api(opened: Opener) -> None:
    page = opened("usual")
    jobs = page.served.get("/api/v1/jobs").json()["jobs"]
    rows = page.rows("#jobs tbody > tr:not(.gap)")
    # What is in no job is no row of this table.
    in_jobs = sorted((one["power_w"] or 0.0 for one in jobs if one["system"] != "none"), reverse=True)
    assert len(rows) == len(in_jobs)
    assert any("kubernetes" in " ".join(row) for row in rows)
    told = [row[4] for row in rows]
    assert all(tells(written, power_w) for written, power_w in zip(told, in_jobs, strict=True)), (rows, in_jobs)


def test_runs_in_progress_stand_before_those_that_have_ended(opened: Opener) -> None:
    page = opened("usual")
    page.until(lambda: page.count("#runs tbody > tr") == 4)
    rows = page.rows("#runs tbody > tr")
    assert [row[2] for row in rows] == ["in progress", "in progress", "ended", "ended"]
    told = {run["name"]: run for run in page.served.get("/api/v1/runs").json()["runs"]}
    assert all(tells(row[6], told[row[0]]["energy_j"]) for row in rows)
    assert page.texts("#runs tbody a") == ["resnet50", "broken"]


def test_energy_counters_are_those_of_the_api(opened: Opener) -> None:
    page = opened("usual")
    snapshot = page.served.get("/api/v1/snapshot").json()
    rows = page.rows("#energy tbody > tr")
    for row, device in zip(rows, snapshot["devices"], strict=True):
        parts = device["components_j"]
        figures = (device["energy_j"], *(parts[key] for key in ("idle", "context", "active", "unattributed")))
        assert all(tells(row[at], value) for at, value in zip((2, 4, 5, 6, 7), figures, strict=True))
    (whole,) = page.rows("#energy tfoot tr")
    assert tells(whole[2], snapshot["total"]["energy_j"])


def test_chart_and_its_words_have_the_powers_that_were_read(opened: Opener) -> None:
    page = opened("usual")
    document = page.served.get("/api/v1/power").json()
    totals = [sum(column) for column in zip(*document["power_w"].values(), strict=True) if None not in column]
    words = page.text("#chart-summary")
    low, high = words.split("from ")[1].split(", about")[0].split(" to ")
    assert number(low) == pytest.approx(min(totals), rel=0.01)
    assert number(high) == pytest.approx(max(totals), rel=0.01)
    (end,) = page.walk("End", 1)
    assert number(end.split("total ")[1].split(" ±")[0].split(";")[0]) == pytest.approx(totals[-1], rel=0.01)
