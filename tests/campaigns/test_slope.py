"""Whether memory grows is told from noise that hangs together."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.soak.cli import growth
from benchmarks.soak.gauges import Gauge
from benchmarks.soak.slope import slope

LOOKS = 120
LOOK_S = 10.0


def steps(dice: random.Random, mb_per_look: float) -> list[float]:
    """Memory that wanders by steps around a trend, as an allocator takes and gives back arenas."""
    wander, values = 0.0, []
    for number in range(LOOKS):
        wander = 0.9 * wander + dice.uniform(-0.03, 0.03)
        values.append(50 + mb_per_look * number + wander)
    return values


def gauges(values: list[float], descriptors: int = 20) -> list[Gauge]:
    return [
        Gauge(
            number * LOOK_S, value + 10, value, descriptors + number // 60, 18, 0.1 * number, 200.0 * number, 0.0, 0.0
        )
        for number, value in enumerate(values)
    ]


@given(st.floats(-5, 5), st.floats(-100, 100))
def test_a_straight_line_has_its_slope_and_no_doubt(rise: float, first: float) -> None:
    xs = [float(number) for number in range(50)]
    found = slope(xs, [first + rise * x for x in xs])
    assert found.value == pytest.approx(rise, abs=1e-9)
    assert found.half_width == pytest.approx(0, abs=1e-6)


def test_the_interval_covers_the_truth_though_neighbours_hang_together() -> None:
    hits = 0
    for seed in range(200):
        xs = [number * LOOK_S / 3600 for number in range(LOOKS)]
        found = slope(xs, steps(random.Random(seed), 0.01))
        hits += abs(found.value - 0.01 * 3600 / LOOK_S) < found.half_width
    assert hits > 175


def test_a_leak_is_told_and_noise_is_not() -> None:
    assert growth(gauges(steps(random.Random(1), 0.0))) == []
    (told,) = growth(gauges(steps(random.Random(1), 0.02)))
    assert "memory grows by 7." in told


def test_descriptors_that_are_not_given_back_are_told() -> None:
    leaking = gauges(steps(random.Random(1), 0.0))
    late = [*leaking[:70], *gauges(steps(random.Random(1), 0.0), 30)[70:]]
    assert any("descriptors" in line for line in growth(late))


def test_too_little_is_no_series() -> None:
    with pytest.raises(ValueError, match="3 and 3 values"):
        slope([1, 2, 3], [1, 2, 3])
    assert growth([]) == ["too few looks for a trend"]
