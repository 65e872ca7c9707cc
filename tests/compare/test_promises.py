"""Simulated pairs with a known saving and fixed seeds: what `aipower compare` promises stays where it is.

The limits are three standard errors away from the promise; `python -m benchmarks.comparison` looks closer.
"""

from __future__ import annotations

import math

import pytest

from benchmarks.comparison.scenario import Scenario, catalogue
from benchmarks.comparison.table import head, row, too_bold
from benchmarks.comparison.trial import Score, score

SEED = 7
WORLDS = 250


def scored(scenario: Scenario, worlds: int = WORLDS) -> Score:
    return score(scenario, worlds, SEED)


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario("plain", runs=(2, 2)),
        Scenario("plain", runs=(3, 3), spread_percent=(0.3, 0.3)),
        Scenario("plain", runs=(10, 10), spread_percent=(3.0, 3.0)),
        Scenario("uneven", runs=(2, 10), spread_percent=(3.0, 0.3)),
        Scenario("measurement", spread_percent=(0.1, 0.1), error_percent=1.0),
        Scenario("lasting error", spread_percent=(0.2, 0.2), error_percent=1.0, lasting=True),
        Scenario("other device", devices="two", spread_percent=(0.3, 0.3)),
        Scenario("work moved to the CPU", devices="mixed", spread_percent=(0.3, 0.3)),
        Scenario("disturbed", outliers=0.1, runs=(3, 3)),
        Scenario("three others", others=3),
        Scenario("in turns", drift_percent=3.0, in_turns=True, spread_percent=(0.3, 0.3)),
    ],
    ids=lambda scenario: scenario.name,
)
def test_noise_is_not_called_a_saving(scenario: Scenario) -> None:
    found = scored(scenario)
    assert found.wrong <= 5 + 3 * 100 * math.sqrt(0.05 * 0.95 / WORLDS)
    assert not too_bold(found)


def test_a_saving_is_found_and_its_interval_holds_it() -> None:
    small, large = (scored(Scenario("plain", saving_percent=percent, spread_percent=(0.3, 0.3))) for percent in (1, 5))
    assert small.less > 80
    assert large.less > 99
    assert min(small.held, large.held, small.held_j, large.held_j) > 95 - 3 * 100 * math.sqrt(0.05 * 0.95 / WORLDS)
    assert large.half_percent < 0.6


def test_one_run_each_never_gives_a_verdict() -> None:
    found = scored(Scenario("one run each", saving_percent=5.0, runs=(1, 1)), 50)
    assert found.less == found.more == 0


def test_what_the_pipeline_measures_holds_too() -> None:
    none = scored(Scenario("pipeline", runs=(3, 3), spread_percent=(0.5, 0.5), pipeline=True), 15)
    saved = scored(Scenario("pipeline", 5.0, (3, 3), (0.5, 0.5), pipeline=True), 15)
    assert none.wrong <= 10
    assert saved.held >= 90
    assert saved.less > 80


def test_the_table_has_as_many_cells_in_each_row() -> None:
    lines = [*head(), *(row(scored(scenario, 3)) for scenario in list(catalogue())[:2])]
    assert {line.count(" | ") for line in lines} == {9}


def test_names_tell_scenarios_apart() -> None:
    names = [scenario.name for scenario in catalogue()]
    assert len(names) == len(set(names))
