"""Whole runs: the same seed gives the same numbers, nothing is lost, and naive tools err as published."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from benchmarks.accuracy import baselines
from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.estimates import Outcome
from benchmarks.accuracy.runner import Task, in_order, simulate, simulate_all, tasks
from benchmarks.accuracy.scenarios.catalogue import catalogue, matching

NAMES = tuple(catalogue())
PUBLISHED = {
    ("device/steady/h100", "power.draw 1 Hz"): 0.83,
    ("device/steady/h100", "raw counter"): 0.07,
    ("device/burst-8.0s/h100", "power.draw 1 Hz"): 6.60,
    ("device/burst-8.0s/h100", "raw counter"): 0.53,
    ("device/burst-0.15s/h100", "power.draw 1 Hz"): 79.38,
    ("device/burst-0.15s/h100", "raw counter"): 29.80,
}
"""Mean error in percent of the naive methods, D1, D2 and D4 of science F2."""


@pytest.fixture(scope="module")
def once() -> Mapping[str, Outcome]:
    """Every class of cases, run once."""
    return {outcome.scenario: outcome for outcome in simulate_all(tasks(NAMES, 1, 7), 2)}


@pytest.mark.parametrize("name", NAMES)
def test_no_joule_is_lost_or_invented(name: str, once: Mapping[str, Outcome]) -> None:
    outcome = once[name]
    assert outcome.broken == ()
    assert "internal" not in outcome.faults
    assert "aipower" in {estimate.method for estimate in outcome.estimates}
    for estimate in outcome.estimates:
        assert estimate.true_j >= 0
        # A raw counter that begins anew shows less than nothing.
        assert estimate.found_j >= 0 or estimate.method == "raw counter"


@pytest.mark.parametrize("name", ["device/neighbour-2.5s/h100", "process/three-equal", "cpu/command"])
def test_all_of_a_run_follows_from_its_seed(name: str) -> None:
    first, again, other = (replace(simulate(Task(name, 3, seed)), took_s=0.0) for seed in (5, 5, 6))
    assert first == again
    assert first.estimates != other.estimates


def test_processes_at_work_do_not_change_the_results() -> None:
    todo = tasks(["device/burst-2.5s/h100", "process/sparse"], 3, 1)
    alone = [replace(outcome, took_s=0.0) for outcome in in_order(simulate_all(todo, 1))]
    shared = [replace(outcome, took_s=0.0) for outcome in in_order(simulate_all(todo, 2))]
    assert alone == shared


@pytest.mark.parametrize(("name", "method"), list(PUBLISHED))
def test_naive_methods_err_as_published(name: str, method: str) -> None:
    errors = []
    for number in range(60):
        rng = random.Random(f"{name} {number}")
        case = catalogue()[name].build(rng)
        estimate = next(each for each in baselines.estimates(case, rng) if each.method == method)
        errors.append(100 * abs(estimate.error_j) / estimate.true_j)
    expected = PUBLISHED[name, method]
    assert expected / 2 < fmean(errors) < expected * 2


def test_aipower_is_better_than_naive_on_bursts() -> None:
    outcomes = [simulate(Task("device/burst-2.5s/h100", number, 1)) for number in range(10)]
    errors = {
        method: fmean(abs(e.error_j) / e.true_j for o in outcomes for e in o.estimates if e.method == method)
        for method in ("aipower", "raw counter", "power.draw 1 Hz")
    }
    assert errors["aipower"] < errors["raw counter"] / 5 < errors["power.draw 1 Hz"] / 5


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, page, plots = tmp_path / "scores.json", tmp_path / "scores.md", tmp_path / "plots"
    command = ["--runs", "2", "--scenario", "device/burst-0*", "--jobs", "1", "--json", str(results)]
    assert main([*command, "--markdown", str(page), "--plots", str(plots)]) == 0
    shown = capsys.readouterr()
    written = json.loads(results.read_text())
    assert len(shown.out.splitlines()) == 1 + len(written["scores"])
    assert (written["schema"], written["runs"], written["broken_laws"]) == ("aipower.accuracy/2", 2, [])
    assert page.read_text().count("| device/burst-0.15s/") == len(written["scores"])
    assert {path.name for path in plots.iterdir()} == {
        "error-device.svg",
        "coverage-device.svg",
        "width-device.svg",
    }
    assert "error-device.svg" in shown.err
    assert main(["--list", "--scenario", "mig/*"]) == 0
    assert capsys.readouterr().out.split() == [scenario.name for scenario in matching("mig/*")]
    assert main(["--scenario", "nothing"]) == 2
    assert "--list" in capsys.readouterr().err
