"""The suite's parts are found by name, and a table says what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.suite import cli, registry
from benchmarks.suite.registry import MissingPartError, choose
from benchmarks.suite.table import Options
from benchmarks.watching import plan
from benchmarks.watching.agent import axis_tables, node_arms, node_table
from benchmarks.watching.arm import Cost
from benchmarks.watching.chart import Chart, draw
from benchmarks.watching.field import Arm
from benchmarks.watching.gauge import Memory
from benchmarks.watching.growth import SERIES, fit_table, values_table
from benchmarks.watching.programs import AIPOWER, NVITOP


def cost(cpu_percent: float, rss_mb: float = 40.0) -> Cost:
    """What a program may have used."""
    counts = {"calls": 50.0, "driver_percent": 0.1, "opens": 10.0, "reads": 20.0, "looks": 5.0}
    return Cost(cpu_percent, 12.0, Memory(1, rss_mb, rss_mb - 5), counts)


def test_parts_are_chosen_by_name_in_the_order_of_the_suite() -> None:
    assert choose(None) == tuple(registry.PARTS)
    assert choose("growth, agent") == ("agent", "growth")
    with pytest.raises(ValueError, match="no part 'none'; there are agent, growth"):
        choose("agent,none")


def test_a_missing_part_is_named_and_the_others_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "PARTS", {"gone": "benchmarks.no_such_part.parts:tables"})
    with pytest.raises(MissingPartError, match=r"part gone is not there: No module named 'benchmarks\.no_such_part'"):
        registry.load("gone")
    assert list(cli.run(["gone"], Options(tmp_path, tmp_path))) == []
    assert "part gone is not there" in capsys.readouterr().err


def test_the_star_has_every_value_of_each_axis_once() -> None:
    points = plan.star()
    assert len(set(points)) == len(points) == 1 + sum(len(values) for values in plan.AXES.values()) - 4
    assert plan.name(plan.CENTRE) == "the node of the budget"
    assert {plan.name(point) for point in points} >= {"50 Hz", "1 GPU", "400 GPU processes", "5000 host processes"}


def test_budgets_and_ratios_are_worked_out() -> None:
    arms = node_arms([AIPOWER, NVITOP])
    found = {arm: [cost(0.2), cost(0.6)] if arm.program is AIPOWER else [cost(4.0)] for arm in arms}
    table = node_table(found)
    rows = {row[0]: row for row in table.rows}
    assert rows["aipower"][1:4] == ("0.40", "0.20 to 0.60", "1.0")
    assert rows["nvitop-exporter, scraped"][3] == "10.0"
    assert rows["aipower"][-3] == "35"
    assert "Budget of CPU: 0.40 of at most 0.5 % of a core: kept." in table.notes
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert any(note.endswith("missed.") for note in node_table({arms[0]: [cost(0.2, rss_mb=50.0)]}).notes)


def test_what_did_not_work_is_a_gap() -> None:
    tables = axis_tables({Arm(AIPOWER, plan.CENTRE): cost(1.0)}, [AIPOWER, NVITOP])
    assert tables[0].rows == (("the node of the budget", "1.00", "-"),)


def test_a_chart_holds_all_its_points() -> None:
    picture = draw(Chart("a < b", "x", "y", [(1.0, 2.0), (3.0, 7.0)], [(0.0, 1.0), (3.0, 7.0)]))
    assert picture.count("<circle") == 2
    assert "a &lt; b" in picture
    assert ">10<" in picture  # the axis ends above 7


def test_growth_that_was_not_measured_has_no_verdict() -> None:
    series = SERIES[0]
    found = {point: [1.0 + point.gpus] for point in series.points()}
    assert fit_table([series], found).rows[0][-1] == "no worse than linear"
    two = dict(list(found.items())[:2])
    assert fit_table([series], two).rows[0][-1] == "not measured"
    assert values_table([series], two).rows[-1] == ("16 GPUs", "")
