"""The power series of a run: bounded, and no microjoule is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.model import Attribution, EnergyDelta
from aipower.record.timeline import FIRST_STEP_S, MAX_STEPS, Timeline
from fakes import CPU, GPU, process

START_S = 100.0
ME = process(1)


def window(start_s: float, end_s: float, power_w: float, scale: float = 1.0) -> tuple[EnergyDelta, list[EnergyDelta]]:
    """A window of one piece; calibrated by `scale`."""
    energy_uj = round((end_s - start_s) * power_w * 1e6)
    return EnergyDelta(GPU, start_s, end_s, round(scale * energy_uj)), [EnergyDelta(GPU, start_s, end_s, energy_uj)]


def begun() -> Timeline:
    timeline = Timeline()
    timeline.start(START_S)
    return timeline


def test_steady_power_is_flat() -> None:
    timeline = begun()
    timeline.taken(*window(START_S, START_S + 1.0, 250.0))
    (series,) = timeline.series()
    assert series.device == "GPU-0"
    assert series.step_s == FIRST_STEP_S
    assert [power for power in series.power_w if power is not None] == pytest.approx(
        [250.0] * len(series.power_w[:10])
    )


def test_calibration_scales_it() -> None:
    timeline = begun()
    timeline.taken(*window(START_S, START_S + 1.0, 200.0, 1.1))
    assert timeline.totals_j() == {"GPU-0": pytest.approx(220.0)}


def test_a_hole_has_no_power() -> None:
    timeline = begun()
    timeline.taken(*window(START_S, START_S + 0.3, 250.0))
    timeline.taken(*window(START_S + 0.7, START_S + 1.0, 250.0))
    (series,) = timeline.series()
    assert series.power_w[3:7] == [None] * 4
    assert series.power_w[8] == 250.0


def test_the_run_has_more_where_the_device_drew_more() -> None:
    timeline = begun()
    pieces = [*window(START_S, START_S + 0.5, 50.0)[1], *window(START_S + 0.5, START_S + 1.0, 250.0)[1]]
    delta = EnergyDelta(GPU, START_S, START_S + 1.0, 150_000_000)
    timeline.taken(delta, pieces)
    timeline.posted(Attribution(delta, 50_000_000, {}, {ME: 100_000_000}, 0), 100_000_000)
    (series,) = timeline.series()
    assert series.run_power_w[0] == pytest.approx(0.0, abs=1.0)
    assert series.run_power_w[8] == pytest.approx(200.0, abs=2.0)


def test_an_unknown_device_is_no_error() -> None:
    timeline = begun()
    delta = EnergyDelta(CPU, START_S, START_S + 1.0, 10)
    timeline.posted(Attribution(delta, 0, {}, {ME: 10}, 0), 10)
    assert timeline.series() == []


def test_a_day_has_no_more_steps_than_a_minute() -> None:
    timeline = begun()
    for second in range(0, 86_400, 60):
        timeline.taken(*window(START_S + second, START_S + second + 60, 200.0))
    (series,) = timeline.series()
    assert len(series.power_w) <= MAX_STEPS
    assert series.step_s * len(series.power_w) >= 86_400
    assert timeline.totals_j()["GPU-0"] == pytest.approx(86_400 * 200.0)


spans = st.lists(
    st.tuples(st.floats(0.01, 400.0), st.floats(0.0, 5.0), st.floats(1.0, 700.0), st.floats(0.0, 1.0)),
    min_size=1,
    max_size=12,
)


@given(spans)
def test_steps_sum_to_the_device_and_to_the_run(told: list[tuple[float, float, float, float]]) -> None:
    timeline, at_s, energy_uj, own_uj = begun(), START_S, 0, 0
    posts: list[tuple[Attribution, int]] = []
    for span_s, gap_s, power_w, part in told:
        delta, pieces = window(at_s, at_s + span_s, power_w)
        timeline.taken(delta, pieces)
        used_uj = int(part * delta.energy_uj)
        posts.append((Attribution(delta, delta.energy_uj - used_uj, {}, {ME: used_uj}, 0), used_uj))
        energy_uj, own_uj, at_s = energy_uj + delta.energy_uj, own_uj + used_uj, at_s + span_s + gap_s
    for attribution, used_uj in posts:
        timeline.posted(attribution, used_uj)
    row = timeline._rows["GPU-0"]
    assert sum(row.energy_uj) == pytest.approx(energy_uj, rel=1e-9)
    assert sum(row.own_uj) == pytest.approx(own_uj, rel=1e-9, abs=1e-3)
    assert sum(row.known_s) == pytest.approx(sum(one[0] for one in told), rel=1e-9)
    assert len(row.energy_uj) <= MAX_STEPS
    (series,) = timeline.series()
    sum_uj = sum(
        (power_w or 0.0) * known_s * 1e6 for power_w, known_s in zip(series.power_w, row.known_s, strict=True)
    )
    assert sum_uj <= energy_uj + 1e3 * at_s


def test_energy_of_pieces_that_showed_none_is_flat() -> None:
    """An offset of the calibration may be all that there is."""
    timeline = begun()
    timeline.taken(EnergyDelta(GPU, START_S, START_S + 1.0, 5_000_000), [EnergyDelta(GPU, START_S, START_S + 1.0, 0)])
    assert timeline.totals_j() == {"GPU-0": pytest.approx(5.0)}
    (series,) = timeline.series()
    assert series.power_w[:10] == pytest.approx([5.0] * 10)


def test_a_crumb_of_a_last_step_shows_the_power_of_the_step_before_too() -> None:
    timeline = begun()
    pieces = [
        EnergyDelta(GPU, START_S, START_S + 0.2, 20_000_000),
        EnergyDelta(GPU, START_S + 0.2, START_S + 0.21, 4_000_000),
    ]
    timeline.taken(EnergyDelta(GPU, START_S, START_S + 0.21, 24_000_000), pieces)
    (series,) = timeline.series()
    assert series.power_w == pytest.approx([100.0, 14 / 0.11, 14 / 0.11], rel=1e-3)
