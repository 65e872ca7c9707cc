"""The Python side alone: the truth is a measure, and the script says what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_driver.presets import a100, h100, rtx4090, v100
from fake_driver.script import Busy, Gpu, Machine, Process, Ramp, Segment, Shape, Square, shapes_energy_j

times_s = st.floats(-50, 250, allow_nan=False)
watts = st.floats(0, 1000, allow_nan=False)
lengths_s = st.floats(0.01, 100)
squares = st.builds(
    lambda start_s, span_s, power_w, period_s, duty: Square(start_s, start_s + span_s, power_w, period_s, duty),
    times_s,
    lengths_s,
    watts,
    st.floats(0.01, 10),
    st.floats(0, 1),
)
ramps = st.builds(
    lambda start_s, span_s, first_w, last_w: Ramp(start_s, start_s + span_s, first_w, last_w),
    times_s,
    lengths_s,
    watts,
    watts,
)
segments = st.builds(
    lambda start_s, span_s, power_w: Segment(start_s, start_s + span_s, power_w), times_s, lengths_s, watts
)
gpus = st.lists(st.one_of(segments, squares, ramps), max_size=5).map(lambda parts: h100(shapes=tuple(parts)))


@given(gpus, times_s, times_s, times_s)
def test_energy_of_parts_sums_to_the_whole(gpu: Gpu, first_s: float, second_s: float, third_s: float) -> None:
    whole_j = gpu.true_energy_j(first_s, third_s)
    parts_j = gpu.true_energy_j(first_s, second_s) + gpu.true_energy_j(second_s, third_s)
    assert parts_j == pytest.approx(whole_j, abs=1e-6)


@given(gpus, times_s, lengths_s)
def test_energy_is_never_below_idle(gpu: Gpu, start_s: float, span_s: float) -> None:
    assert gpu.true_energy_j(start_s, start_s + span_s) >= gpu.idle_w * span_s - 1e-6


@given(st.one_of(segments, squares, ramps))
def test_nothing_outside_the_shape(shape: Shape) -> None:
    outside = ((shape.start_s - 100, shape.start_s), (shape.end_s, shape.end_s + 100))
    assert [shapes_energy_j((shape,), *span) for span in outside] == [0, 0]


def test_known_energies() -> None:
    assert shapes_energy_j((Segment(1, 3, 100),), 0, 10) == 200
    assert shapes_energy_j((Segment(1, 3, 100),), 2, 2.5) == 50
    assert shapes_energy_j((Square(0, 10, 100, 2, 0.25),), 0, 10) == 250
    assert shapes_energy_j((Square(0, 10, 100, 2, 0.25),), 0.25, 2.25) == 50
    assert shapes_energy_j((Ramp(0, 10, 0, 100),), 0, 10) == 500
    assert shapes_energy_j((Ramp(0, 10, 0, 100),), 5, 10) == 375
    assert shapes_energy_j((Ramp(0, 10, 0, 100), Segment(0, 1, 1)), 10, 0) == -501


@given(squares, times_s)
def test_square_agrees_with_a_fine_sum(square: Square, start_s: float) -> None:
    """Independent of the closed form: add up the slices in which the wave is on."""
    step_s, steps = 0.001, 400
    middles_s = [start_s + (step + 0.5) * step_s for step in range(steps)]
    on = [
        square.start_s <= at_s < square.end_s
        and (at_s - square.start_s) % square.period_s < square.duty * square.period_s
        for at_s in middles_s
    ]
    sliced_j = square.watts * step_s * sum(on)
    edges = 2 + 2 * (steps * step_s / square.period_s + 1)
    exact_j = shapes_energy_j((square,), start_s, start_s + steps * step_s)
    assert exact_j == pytest.approx(sliced_j, abs=square.watts * step_s * edges + 1e-9)


def test_gain_and_offset_are_not_truth() -> None:
    gpu = h100(gain=0.9, offset_w=10.0, shapes=(Segment(0, 10, 30),))
    assert gpu.true_energy_j(0, 10) == 1000
    assert gpu.metered_energy_j(0, 10) == pytest.approx(1000)
    assert gpu.metered_energy_j(10, 20) == pytest.approx(0.9 * 700 + 100)


def test_card_that_would_read_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="at idle"):
        rtx4090(idle_w=20.0, offset_w=-22.6)


def test_busy_seconds() -> None:
    process = Process(1, 10, 20, busy=(Busy(0, 100, 50.0), Busy(15, 100, 40.0, period_s=1.0, duty=0.5)))
    assert process.true_busy_s(0, 100) == pytest.approx(5 + 1)
    assert process.true_busy_s(0, 9) == 0
    assert Process(1, 10, 20, busy=25.0).true_busy_s(12, 16) == pytest.approx(1)


def test_sensors_of_the_presets() -> None:
    cards = {gpu.architecture: gpu for gpu in (h100(), a100(), v100(), rtx4090())}
    windows_ms = {
        number: (gpu.energy.period_ms, gpu.instant.period_ms, gpu.instant.window_ms)
        for number, gpu in cards.items()
        if gpu.instant is not None
    }
    assert windows_ms == {9: (100, 100, 25), 7: (100, 100, 25), 5: (20, 20, 10), 8: (100, 100, 100)}
    assert {number for number, gpu in cards.items() if gpu.average is not None} == {8, 9}
    assert {number for number, gpu in cards.items() if gpu.draw == "average"} == {8, 9}


def test_presets_may_be_changed() -> None:
    gpu = a100(3, idle_w=61.0, uuid="GPU-mine")
    assert (gpu.uuid, gpu.idle_w, gpu.minor) == ("GPU-mine", 61.0, 3)


def test_environment(tmp_path: Path) -> None:
    machine = Machine()
    script = machine.write(tmp_path / "script")
    assert machine.environment(Path("/lib"), script) == {
        "LD_LIBRARY_PATH": "/lib",
        "AIPOWER_FAKE_NVML": str(script),
    }
    assert machine.environment(Path("/lib"), script, tmp_path / "log")["AIPOWER_FAKE_NVML_LOG"] == f"{tmp_path}/log"
    assert script.read_text() == machine.text


def test_machine_begins_now() -> None:
    machine = Machine()
    first_s = machine.now_s()
    assert 0 <= first_s <= machine.now_s()
