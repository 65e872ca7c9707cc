"""Bars, the still plot and labels: what is drawn stands where the figures say."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.runrecord import PowerSeries
from aipower_exporters.html.bars import Part, Whisker, bar, scale_for
from aipower_exporters.html.binning import Step, binned, drawable, mean
from aipower_exporters.html.labels import HUES, labels_of
from aipower_exporters.html.plot import SPANS, still_plot, ticks
from exporters.html.parsing import Page, parsed
from exporters.html.records import bare, device, full, phase, power_of

ENERGIES = st.floats(min_value=1e-6, max_value=1e12)
KNOWN = st.none() | st.floats(min_value=0, max_value=1e4)


def numbers(page: Page, name: str) -> list[float]:
    return [float(value) for value in page.attributes(name)]


@given(st.lists(ENERGIES, min_size=1))
def test_scale_is_round_and_holds_the_largest(energies_j: list[float]) -> None:
    scale = scale_for(energies_j)
    assert max(energies_j) <= scale.full_j * (1 + 1e-9)
    assert scale.full_j <= 2 * max(energies_j) * (1 + 1e-9)


def test_scale_of_nothing_is_no_error() -> None:
    assert scale_for([]).full_j == scale_for([0.0, float("nan"), float("inf")]).full_j == 1.0


def test_parts_stand_side_by_side_and_the_error_bar_over_its_ends() -> None:
    drawn = parsed(
        bar(scale_for([100.0]), [Part(50.0, "run"), Part(25.0, "idle")], [Whisker((40.0, 60.0))]).text.encode()
    )
    rects = [found for name, found in drawn.tags if name == "rect"]
    assert [(found["x"], found["width"]) for found in rects] == [("0", "500"), ("500", "250")]
    [halo, whisker] = [str(found["d"]) for name, found in drawn.tags if name == "path"]
    assert halo == whisker
    assert re.findall(r"M([\d.]+) ", whisker) == ["400.0", "400.0", "600.0"]


@given(st.lists(ENERGIES, max_size=4), ENERGIES, ENERGIES)
def test_nothing_is_drawn_outside_of_a_bar(energies_j: list[float], low_j: float, high_j: float) -> None:
    drawn = bar(scale_for([1e6]), [Part(energy_j, "run") for energy_j in energies_j], [Whisker((low_j, high_j))])
    page = parsed(drawn.text.encode())
    assert sum(numbers(page, "width")) <= 1000.1
    assert all(0 <= float(x) <= 1000 for path in page.attributes("d") for x in re.findall(r"[MH]([\d.]+)", path))


@given(st.lists(KNOWN, min_size=1, max_size=200), st.integers(1, 50))
def test_bins_follow_each_other_and_keep_the_mean(powers: list[float | None], most: int) -> None:
    steps = binned(PowerSeries("x", 0.5, powers, powers), most, len(powers) * 0.5)
    assert 1 <= len(steps) <= most
    assert steps[0].start_s == 0
    assert steps[-1].end_s == pytest.approx(len(powers) * 0.5)
    assert all(one.end_s == other.start_s for one, other in pairwise(steps))
    if None not in powers:
        spent = sum((step.power_w or 0.0) * (step.end_s - step.start_s) for step in steps)
        assert spent == pytest.approx(0.5 * sum(power_w or 0.0 for power_w in powers), abs=1e-6)


def test_last_step_ends_with_the_run() -> None:
    assert binned(PowerSeries("x", 1.0, [5.0, 6.0, 7.0], []), 10, 2.5)[-1] == Step(2.0, 2.5, 7.0)


def test_mean_leaves_out_what_is_not_known() -> None:
    assert mean([1.0, None, 3.0, float("nan")]) == 2.0
    assert mean([None]) is None


def test_series_without_steps_are_not_drawn() -> None:
    empty, still = PowerSeries("x", 0.1, [], []), PowerSeries("x", 0.0, [1.0], [1.0])
    dark = PowerSeries("x", 0.1, [None, float("nan")], [None, None])
    shown = PowerSeries("y", 0.1, [1.0], [1.0])
    assert drawable([empty, still, dark, shown]) == [shown]


@given(st.floats(min_value=1e-6, max_value=1e9), st.integers(2, 10))
def test_ticks_are_few_and_within(end: float, most: int) -> None:
    found = ticks(end, most)
    assert found[0] == 0
    assert 2 <= len(found) <= most + 1
    assert found[-1] <= end * (1 + 1e-6)


def test_ticks_of_nothing() -> None:
    assert ticks(0.0, 4) == ticks(float("inf"), 4) == [0.0]


def test_still_plot_has_a_line_per_device_broken_where_power_is_not_known() -> None:
    record = full(1)
    page = parsed(still_plot(record, labels_of(record)).text.encode())
    assert page.names().count("polyline") == 2 * len(record.power)
    whole = replace(record, power=[replace(record.power[0], power_w=[5.0] * 9)])
    assert parsed(still_plot(whole, labels_of(whole)).text.encode()).names().count("polyline") == 1
    gap = replace(record.power[0], power_w=[5.0, 5.0, None, 5.0])
    broken = replace(record, power=[gap])
    assert parsed(still_plot(broken, labels_of(broken)).text.encode()).names().count("polyline") == 2


def test_still_plot_stays_in_its_frame() -> None:
    record = full(16)
    page = parsed(still_plot(record, labels_of(record)).text.encode())
    points = [pair.split(",") for line in page.attributes("points") for pair in line.split()]
    assert all(0 <= float(x) <= 960 and 0 <= float(y) <= 300 for x, y in points)


def test_still_plot_names_phases_and_draws_no_more_than_paper_can_show() -> None:
    many = phase(["step"], 5.0, [(i * 0.01, i * 0.01 + 0.005) for i in range(5000)])
    record = replace(full(), phases=[phase(["warm up"], 5.0, [(0.0, 20.0)]), many])
    page = parsed(still_plot(record, labels_of(record)).text.encode())
    assert "warm up" in page.text
    assert page.names().count("rect") <= 2 * SPANS


def test_labels_are_short_where_they_are_unique() -> None:
    record = full(2)
    assert [label.text for label in labels_of(record).values()] == ["GPU 0", "GPU 1", "CPU 0", "DRAM 0"]


def test_labels_of_dies_and_nodes_are_told_apart() -> None:
    dies = [replace(device(0, "cpu"), device=f"d{i}", name=f"package-0-die-{i} (AMD)") for i in (0, 1)]
    nodes = [replace(device(0), device=f"node{i}/GPU-a") for i in (1, 2)]
    labels = labels_of(replace(bare(), devices=[*dies, *nodes]))
    texts = [label.text for label in labels.values()]
    assert texts[:2] == ["CPU 0 package-0-die-0", "CPU 0 package-0-die-1"]
    assert texts[2:] == ["GPU 0 node1/GPU-a", "GPU 0 node2/GPU-a"]


def test_each_of_16_devices_has_a_look_of_its_own() -> None:
    looks = {(label.hue, label.dash) for label in labels_of(full(2 * HUES - 2)).values()}
    assert len(looks) == 2 * HUES


def test_device_that_contains_others_is_not_stacked() -> None:
    record = replace(bare(), devices=[device(0), device(0, "node")], power=[power_of(device(1))])
    assert [label.summed for label in labels_of(record).values()] == [True, False, True]
