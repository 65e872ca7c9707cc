"""The line and its errors, against points with a known truth."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.calibration.entry import Z_95
from aipower.calibration.fit import Point, fit_points, with_meter_error
from aipower.calibration.student import inflation, quantile_975
from aipower.errors import AipowerError
from aipower.model import Calibration

RUNS = 300


def points(dice: random.Random, count: int, *, meter_noise_w: float = 1.0, own_noise_w: float = 0.0) -> list[Point]:
    """Readings of a sensor whose truth is 0.958 x reading + 21.6 W."""
    readings_w = [20 + 380 * number / (count - 1) for number in range(count)]
    dice.shuffle(readings_w)
    return [Point(x + dice.gauss(0, own_noise_w), 0.958 * x + 21.6 + dice.gauss(0, meter_noise_w)) for x in readings_w]


@pytest.mark.parametrize("count", [3, 5, 9, 25])
@pytest.mark.parametrize("noises_w", [(1.0, 0.0), (0.7, 0.7), (0.0, 1.0)])
def test_the_stated_errors_cover_the_truth_as_often_as_they_say(count: int, noises_w: tuple[float, float]) -> None:
    dice = random.Random(count)
    hits = {"gain": 0, "offset": 0, "watts": 0}
    runs = 3 * RUNS
    for _ in range(runs):
        found = fit_points(points(dice, count, meter_noise_w=noises_w[0], own_noise_w=noises_w[1])).calibration
        at_w = dice.uniform(20, 400)
        error_w = found.gain * at_w + found.offset_w - (0.958 * at_w + 21.6)
        hits["gain"] += abs(found.gain - 0.958) <= Z_95 * found.gain_se
        hits["offset"] += abs(found.offset_w - 21.6) <= Z_95 * found.offset_se_w
        hits["watts"] += abs(error_w) <= Z_95 * found.error_uj(at_w * 1e6, 1.0) / 1e6
    assert all(0.93 <= number / runs <= 0.97 for number in hits.values()), hits


@given(st.floats(0.55, 1.9), st.floats(-35, 35), st.lists(st.floats(5, 60), min_size=3, max_size=30))
def test_a_line_without_scatter_is_found_exactly(gain: float, offset_w: float, steps_w: list[float]) -> None:
    readings_w = [sum(steps_w[: number + 1]) for number in range(len(steps_w))]
    found = fit_points([Point(x, gain * x + offset_w, 1 + x % 3) for x in [1.0, *readings_w]])
    assert found.calibration.gain == pytest.approx(gain, rel=1e-6)
    assert found.calibration.offset_w == pytest.approx(offset_w, abs=1e-3)
    assert abs(found.calibration.covariance_w) <= found.calibration.gain_se * found.calibration.offset_se_w + 1e-9
    assert found.residual_w < 1e-3


def test_neighbours_that_err_alike_count_for_less() -> None:
    dice = random.Random(4)
    scattered = points(dice, 40)
    drift_w = [2 * ((number // 10) % 2) - 1 for number in range(40)]
    alike = [Point(x.ours_w, 0.958 * x.ours_w + 21.6 + d) for x, d in zip(scattered, drift_w, strict=True)]
    shuffled = dice.sample(alike, len(alike))
    assert fit_points(alike).calibration.gain_se > 1.8 * fit_points(shuffled).calibration.gain_se


def test_a_longer_point_weighs_more() -> None:
    base = [Point(50, 50, 10), Point(200, 200, 10), Point(400, 400, 10)]
    light, heavy = (fit_points([*base, Point(400, 410, span_s)]).calibration.gain for span_s in (1, 100))
    assert 1 < light < heavy


def test_the_error_of_the_meter_is_one_factor() -> None:
    """A meter that shows `u` too much scales gain and offset together."""
    found = with_meter_error(Calibration(0.958, 21.6), 0.005)
    true_w = 0.958 * 300 + 21.6
    assert found.error_uj(300e6, 1.0) * Z_95 == pytest.approx(0.005 * true_w * 1e6)


@pytest.mark.parametrize(("freedom", "exact"), [(1, 12.706), (2, 4.303), (3, 3.1824), (5, 2.5706), (30, 2.0423)])
def test_student(freedom: int, exact: float) -> None:
    assert quantile_975(freedom) == pytest.approx(exact, rel=2e-3)
    assert inflation(freedom) > 1


@pytest.mark.parametrize(("bad", "words"), [
    ([Point(50, 50), Point(300, 300)], "at least 3"),
    ([Point(200 + n / 10, 200 + n / 10) for n in range(9)], "from idle to full load"),
    ([Point(0, n) for n in range(9)], "from idle to full load"),
    ([Point(50, 300), Point(200, 150), Point(400, 50)], "supply of this very device"),
])  # fmt: skip
def test_points_without_a_line_are_refused(bad: list[Point], words: str) -> None:
    with pytest.raises(AipowerError, match=words):
        fit_points(bad)
