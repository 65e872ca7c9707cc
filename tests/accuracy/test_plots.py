"""Pictures: well formed, and each value where the axis says."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.accuracy.estimates import Estimate, Outcome
from benchmarks.accuracy.plots import coverage_chart, error_charts, write_plots
from benchmarks.accuracy.score import scores
from benchmarks.accuracy.svg import LEFT, WIDTH, Axis, Chart, Mark, Row, draw

INTERVAL = (98.0, 104.0)
ROWS = scores(
    Outcome(
        name,
        number,
        (
            Estimate("aipower", "device", 100.0, 101.0 + number, INTERVAL, INTERVAL),
            Estimate("naive <1 Hz>", "device", 100.0, 150.0),
        ),
    )
    for name in ("device/a", "cpu/b")
    for number in range(3)
)


def test_axis_places_values_and_holds_those_beyond_at_its_ends() -> None:
    linear, log = Axis("", 40, 100, ()), Axis("", 0.01, 100, (), log=True)
    assert linear.x(70) == LEFT + WIDTH / 2
    assert log.x(1) == LEFT + WIDTH / 2
    assert [linear.x(0), linear.x(200)] == [LEFT, LEFT + WIDTH]
    assert log.x(0) == LEFT


def test_a_mark_stands_at_its_value_with_its_line() -> None:
    axis = Axis("percent", 0, 100, (0, 100))
    drawn = draw(Chart("t", axis, [Row("a & b", [Mark(25, "#123456", 10, 50)])]))
    (circle,) = re.findall(r'<circle cx="([\d.]+)"', drawn)
    assert float(circle) == pytest.approx(axis.x(25), abs=0.1)
    assert f'x1="{axis.x(10):.1f}"' in drawn
    assert "a &amp; b" in drawn


def test_each_family_has_its_errors_and_a_method_its_colour_everywhere() -> None:
    charts = dict(error_charts(ROWS))
    assert list(charts) == ["error-device", "error-cpu"]
    assert charts["error-device"].legend == charts["error-cpu"].legend
    (row,) = charts["error-cpu"].rows
    assert [(mark.value, mark.high) for mark in row.marks] == [(50.0, 50.0), (2.0, 3.0)]


def test_coverage_shows_stated_intervals_only() -> None:
    chart = coverage_chart(ROWS)
    assert [row.name for row in chart.rows] == ["device/a · device", "cpu/b · device"]
    assert {mark.value for row in chart.rows for mark in row.marks} == {100.0}


def test_files_are_well_formed(tmp_path: Path) -> None:
    paths = write_plots(tmp_path / "new", ROWS)
    assert {path.stem for path in paths} == {
        *("error-device", "error-cpu"),
        *("coverage-device", "coverage-others", "width-device", "width-others"),
    }
    for path in paths:
        assert ET.parse(path).getroot().tag.endswith("svg")  # noqa: S314 - our own files
