"""Means, intervals and what is left out of them."""

import json
import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aipower.run.repeat.figures import energy_of, figure_of
from aipower.run.repeat.options import SeriesOptions
from aipower.run.repeat.play import Play, worked
from aipower.run.repeat.summary import SeriesSummary, summarize, to_json
from repeat.records import SCALE, plays, record

OPTIONS = SeriesOptions(("python", "train.py"), 5, name="base")


def summary_of(of: list[Play], options: SeriesOptions = OPTIONS) -> SeriesSummary:
    return summarize(options, "20261128T133214Z-00000001", of, 0, [])


def test_mean_has_students_interval() -> None:
    figure = figure_of([10.0, 12.0, 11.0])
    assert figure is not None
    half = 4.302653 * 1.0 / math.sqrt(3)
    assert figure.mean == pytest.approx(11.0)
    assert figure.interval == pytest.approx((11.0 - half, 11.0 + half))
    assert figure.deviation == pytest.approx(1.0)
    assert (figure.least, figure.most, figure.count) == (10.0, 12.0, 3)


def test_one_value_has_no_interval_and_none_no_figure() -> None:
    figure = figure_of([7.0])
    assert figure is not None
    assert (figure.mean, figure.interval, figure.deviation) == (7.0, None, None)
    assert figure_of([]) is None


def test_interval_of_the_mean_holds_the_truth_in_95_of_100_series() -> None:
    dice = random.Random(5)
    held = 0
    for _ in range(1000):
        figure = figure_of([dice.gauss(100, 4) for _ in range(5)])
        assert figure is not None
        assert figure.interval is not None
        held += figure.interval[0] <= 100 <= figure.interval[1]
    assert 925 <= held <= 975


def test_absolute_interval_holds_the_scale_which_no_repetition_narrows() -> None:
    summary = summary_of(plays(*[1000.0, 1001.0, 999.0] * 30))
    spread, absolute = summary.repeatable_interval_j.total, summary.interval_j.total
    assert spread is not None
    assert absolute is not None
    assert spread[1] - spread[0] < 1.0
    assert absolute == pytest.approx((1000 * (1 - SCALE), 1000 * (1 + SCALE)), rel=1e-3)


def test_absolute_interval_adds_scale_and_spread_in_squares() -> None:
    energy = energy_of([record(90.0), record(110.0), record(100.0)], "total")
    assert energy is not None
    assert energy.figure.interval is not None
    assert energy.absolute_j is not None
    half = (energy.figure.interval[1] - energy.figure.interval[0]) / 2
    assert energy.absolute_j[1] - 100 == pytest.approx(math.hypot(half, 5.0))


def test_failed_repetitions_are_in_no_mean_but_in_the_records() -> None:
    series = plays(10.0, 10.0, 10.0)
    series.insert(1, Play(9, 3, record(500.0, 1.0, exit_code=3)))
    summary = summary_of(series)
    assert summary.mean_j.total == 10.0
    assert summary.wall_s is not None
    assert summary.wall_s.mean == 10.0
    assert [(failure.index, failure.exit_code) for failure in summary.failed] == [(9, 3)]
    assert len(summary.records) == 4


def test_run_that_was_cut_short_is_in_no_mean_even_where_it_says_that_all_is_well() -> None:
    series = [*plays(10.0, 12.0), replace(plays(1.0)[0], index=3, cut=True)]
    summary = summary_of(series)
    assert summary.mean_j.total == 11.0
    assert summary.cut_short == [3]
    assert len(summary.records) == 3


def test_warm_ups_are_nowhere() -> None:
    summary = summary_of([Play(0, 0, record(500.0)), *plays(10.0, 12.0)])
    assert summary.mean_j.total == 11.0
    assert len(summary.records) == 2


def test_repetition_that_lacks_a_device_is_left_out() -> None:
    both = {"GPU-0": 10.0, "GPU-1": 10.0}
    series = [
        Play(1, 0, record(20.0, devices=both)),
        Play(2, 0, record(10.0, devices={"GPU-0": 10.0, "GPU-1": None})),
        Play(3, 0, record(22.0, devices=both)),
    ]
    summary = summary_of(series)
    assert summary.mean_j.total == 21.0
    assert summary.left_out == [2]
    assert summary.mean_of == [1, 3]


def test_incomplete_repetition_is_left_out_unless_all_are() -> None:
    series = plays(10.0, 12.0)
    half = Play(3, 0, record(4.0, complete=False))
    assert summary_of([*series, half]).mean_j.total == 11.0
    assert summary_of([half]).mean_j.total == 4.0


def test_nothing_measured_is_null_and_time_is_known_still() -> None:
    summary = summary_of([Play(1, 0, record(None, 3.0, devices={}, estimated_j=8.0))])
    assert summary.mean_j.total is None
    assert summary.interval_j.total is None
    assert summary.energy == {}
    assert summary.wall_s is not None
    assert summary.wall_s.mean == 3.0
    assert summary.estimated_cpu_j is not None
    assert summary.estimated_cpu_j.mean == 8.0


def test_metrics_and_energy_per_unit_have_means() -> None:
    series = [
        Play(1, 0, record(10.0, metrics={"accuracy": 0.9}, per={"token": 0.1})),
        Play(2, 0, record(10.0, metrics={"accuracy": 0.8}, per={"token": 0.3})),
    ]
    summary = summary_of(series)
    assert summary.metrics["accuracy"].mean == pytest.approx(0.85)
    assert summary.per["token"].mean == pytest.approx(0.2)


def test_first_and_others_that_stand_out_are_told_by_energy_or_time() -> None:
    steady = [100.0, 101.0, 99.5, 100.5, 99.0, 100.2, 100.8]
    slow_first = summary_of(plays(*steady, walls_s=[20.0, *[10.0, 10.1, 9.9] * 2]))
    assert slow_first.first_excess == pytest.approx(1.0, abs=0.02)
    hot_first = summary_of(plays(130.0, *steady))
    assert hot_first.first_excess == pytest.approx(0.3, abs=0.02)
    hot_fourth = summary_of(plays(*steady[:3], 150.0, *steady[3:]))
    assert (hot_fourth.first_excess, hot_fourth.outliers) == (None, [4])


def test_second_repetition_is_no_first_where_the_first_has_failed() -> None:
    series = plays(1.0, 130.0, 100.0, 101.0, 99.5, 100.5, 99.0, 100.2, 100.8)
    series[0] = replace(series[0], exit_code=1)
    summary = summary_of(series)
    assert summary.first_excess is None
    assert summary.outliers == [2]


def test_drift_is_told() -> None:
    summary = summary_of(plays(*[100.0 + 2 * step for step in range(10)]))
    assert summary.drift == pytest.approx(18 / 109, rel=0.01)


def test_warm_starts_are_told() -> None:
    series = plays(10.0, 10.0)
    series[1] = replace(series[1], warm={"GPU-0": (90.0, 70.0)})
    (start,) = summary_of(series).started_warm
    assert (start.index, start.device, start.power_w, start.idle_w) == (2, "GPU-0", 90.0, 70.0)


def test_devices_that_the_run_does_not_use_are_not_waited_for() -> None:
    found = record(10.0, devices={"used": 100.0, "crumbs": 0.001, "unknown": None})
    assert worked(found) == {"used", "unknown"}


def test_json_is_read_back_and_names_its_schema_first() -> None:
    summary = summary_of(plays(10.0, 11.0, 12.0))
    content = to_json(summary)
    assert msgspec.json.decode(content, type=SeriesSummary) == summary
    assert next(iter(json.loads(content))) == "schema"
    assert json.loads(content)["schema"] == "aipower.series/1"
    assert len(json.loads(content)["records"]) == 3


def test_command_of_any_bytes_has_a_json() -> None:
    odd = SeriesOptions(("echo", "\udcff"), 1, name="\udcfe")
    assert json.loads(to_json(summary_of(plays(1.0), odd)))["command"] == ["echo", "\ufffd"]


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=30))
def test_laws_of_a_series(totals_j: list[float]) -> None:
    summary = summary_of(plays(*totals_j))
    mean_j, absolute = summary.mean_j.total, summary.interval_j.total
    assert mean_j is not None
    assert absolute is not None
    slack_j = 1e-9 * (1 + max(totals_j))
    assert min(totals_j) - slack_j <= mean_j <= max(totals_j) + slack_j
    assert 0 <= absolute[0] <= mean_j + slack_j
    assert absolute[1] >= mean_j - slack_j
    if (spread := summary.repeatable_interval_j.total) is not None:
        assert absolute[0] <= spread[0] + slack_j
        assert spread[1] <= absolute[1] + slack_j
