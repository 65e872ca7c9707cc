"""Two recordings on two clocks: the shift, the windows, and everything that is refused."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from aipower.calibration.checks import check_fit
from aipower.calibration.entry import Z_95
from aipower.calibration.fit import Point, fit_points, with_meter_error
from aipower.calibration.match import match
from aipower.calibration.readings import Sample, meter_series
from aipower.calibration.series import EnergySeries
from aipower.errors import AipowerError
from calibration.series import LEVELS, Scene, held
from fake_driver.shapes import Ramp, Square

RTX4090 = Scene(held(), sensor_gain=1.044, sensor_offset_w=-22.6)


def meter_of(
    scene: Scene, seed: int = 1, *, shift_s: float = 0.0, noise_w: float = 0.0, period_s: float = 1.0
) -> EnergySeries:
    samples = scene.meter(random.Random(seed), shift_s=shift_s, noise_w=noise_w, period_s=period_s)
    return meter_series(samples, "m.csv")


@pytest.mark.parametrize("shift_s", [-4.6, -1.33, 0.0, 0.42, 4.6])
@pytest.mark.parametrize("period_s", [0.1, 1.0, 2.0])
def test_the_shift_of_the_clocks_is_found(shift_s: float, period_s: float) -> None:
    meter = meter_of(RTX4090, shift_s=shift_s, noise_w=1.0, period_s=period_s)
    found = match(RTX4090.ours(), meter)
    assert found.shift.seconds == pytest.approx(shift_s, abs=0.05)
    assert found.shift.correlation > 0.999
    assert found.fit.calibration.gain == pytest.approx(RTX4090.gain, rel=0.005)


def test_a_shift_that_is_told_may_be_any() -> None:
    meter = meter_of(RTX4090, shift_s=3601.5, noise_w=1.0)
    assert match(RTX4090.ours(), meter, 3600.0).shift.seconds == pytest.approx(3601.5, abs=0.05)


def test_the_whole_way_covers_the_truth() -> None:
    """Gain, offset and the watts between, with random scales, shifts and loads."""
    dice = random.Random(11)
    runs, hits = 120, 0
    for run in range(runs):
        levels = [(25.0 * number, dice.uniform(20, 450)) for number in range(5)]
        levels[0], levels[-1] = (0.0, dice.uniform(20, 60)), (100.0, dice.uniform(350, 450))
        scene = Scene(held(levels), 125.0, dice.uniform(0.91, 1.06), dice.uniform(-15, 16))
        meter = meter_of(scene, run, shift_s=dice.uniform(-4.5, 4.5), noise_w=2.0)
        found = match(scene.ours(), meter).fit
        reading_w = dice.uniform(*found.range_w)
        error_w = (found.calibration.gain - scene.gain) * reading_w + found.calibration.offset_w - scene.offset_w
        hits += abs(error_w) <= Z_95 * found.calibration.error_uj(reading_w * 1e6, 1.0) / 1e6
    assert 0.90 <= hits / runs <= 1.0


def test_a_calibrated_4090_is_right_to_a_third_of_a_percent() -> None:
    """The card that reads near nothing at idle."""
    found = match(RTX4090.ours(), meter_of(RTX4090, noise_w=1.0, shift_s=1.2)).fit
    for truth_w in (30, 110, 420):
        reading_w = 1.044 * truth_w - 22.6
        calibrated_w = found.calibration.gain * reading_w + found.calibration.offset_w
        assert calibrated_w == pytest.approx(truth_w, abs=max(0.5, 0.003 * truth_w))


def test_a_meter_that_settles_slowly_costs_windows_not_truth() -> None:
    samples = RTX4090.meter(random.Random(3), noise_w=0.5)
    slow: list[Sample] = []
    for sample in samples:
        before_w = slow[-1].power_w if slow else sample.power_w
        slow.append(replace(sample, power_w=0.7 * sample.power_w + 0.3 * before_w))
    found = match(RTX4090.ours(), meter_series(slow, "m"))
    assert found.fit.calibration.gain == pytest.approx(RTX4090.gain, rel=0.01)


def test_gaps_on_both_sides_are_left_out() -> None:
    ours = RTX4090.ours()
    holed = EnergySeries([part for number, part in enumerate(ours.parts) if not 300 < number < 420])
    samples = [sample for number, sample in enumerate(RTX4090.meter(random.Random(5))) if not 60 < number < 70]
    found = match(holed, meter_series(samples, "m"))
    assert found.fit.calibration.gain == pytest.approx(RTX4090.gain, rel=1e-3)
    assert found.fit.calibration.offset_w == pytest.approx(RTX4090.offset_w, abs=0.2)


def test_more_than_the_device_is_told_by_its_offset() -> None:
    meter = meter_series(RTX4090.meter(random.Random(1), change=lambda watts: watts / 0.9 + 143), "m")
    with pytest.raises(AipowerError, match=r"167 W .* whole machine.*--subtract"):
        match(RTX4090.ours(), meter)


@pytest.mark.parametrize(("scene", "changes", "words"), [
    (Scene(held(((0.0, 300.0), (25.0, 304.0), (50.0, 299.0))), 75.0), {}, "tell gain from offset"),
    (Scene(held(((0.0, 300.0),), 125.0)), {}, "tell gain from offset"),
    (RTX4090, {"shift_s": 1e5}, "no time in common.*too late"),
    (RTX4090, {"shift_s": -1e5}, "no time in common.*too early"),
    (RTX4090, {"shift_s": 110.0}, "overlap for 1[0-9] s only"),
    (RTX4090, {"shift_s": 5.4}, "clock is 5 s or more"),
    (Scene((Ramp(0, 125, 20, 450),)), {}, "have a steady load"),
    (Scene((Square(0, 125, 300, 4.3),)), {}, "have a steady load"),
    (RTX4090, {"noise_w": 45.0}, "scatters by"),
    (RTX4090, {"noise_w": 900.0}, "does not follow the device"),
])  # fmt: skip
def test_what_cannot_be_fitted_is_refused_with_a_remedy(scene: Scene, changes: dict[str, float], words: str) -> None:
    shift_s, noise_w = changes.get("shift_s", 0.0), changes.get("noise_w", 0.0)
    meter = meter_of(scene, shift_s=shift_s, noise_w=noise_w)
    with pytest.raises(AipowerError, match=words):
        match(scene.ours(), meter)


@pytest.mark.parametrize(("change", "words"), [
    (lambda watts: 0.4 * watts, "a part of the device's supply"),
    (lambda watts: 2.4 * watts, "more than this device"),
    (lambda watts: watts - 75, "sees? a part of the supply"),
    (lambda watts: watts + (watts - 210) ** 2 / 1500, "do not lie on a line"),
    (lambda watts: 450 - watts, "does not follow the device"),
])  # fmt: skip
def test_a_meter_in_the_wrong_place_is_told(change: Callable[[float], float], words: str) -> None:
    scene = Scene(held(LEVELS))
    with pytest.raises(AipowerError, match=words):
        match(scene.ours(), meter_series(scene.meter(random.Random(2), change=change), "m"))


def test_a_gain_that_is_hardly_known_is_refused() -> None:
    few = tuple(Point(x, x + e) for x, e in ((200, -3), (250, 4), (300, -2), (320, 3), (210, -4)))
    with pytest.raises(AipowerError, match="gain is only known to"):
        check_fit(fit_points(few))


def test_the_error_of_the_meter_is_part_of_the_result() -> None:
    exact = match(RTX4090.ours(), meter_of(RTX4090)).fit.calibration
    assert with_meter_error(exact, 0.005).error_uj(400e6, 1) > exact.error_uj(400e6, 1)
