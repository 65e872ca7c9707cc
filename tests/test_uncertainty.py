"""Errors of energies add up: own ones in squares, those of a shared scale linearly."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aipower.books.accounts import PartAccount
from aipower.books.uncertainty import Error, Exposure, part_error, scale_of, whole_error
from aipower.calibration.apply import read_uj, true_uj
from aipower.calibration.default import GAIN_95, GPU_OFFSET_95_W, default_calibration
from aipower.calibration.entry import Z_95
from aipower.model import Calibration, Device
from fakes import CPU, GPU

OTHER = Device("GPU-1", "gpu", "H100", "1")
METER = Calibration(0.958, 21.6, 0.001, 0.2, -1e-4, "a meter")
SCALES = [scale_of(device, calibration) for device in (GPU, OTHER, CPU) for calibration in
          (METER, default_calibration(device.kind))]  # fmt: skip
WHOLE_NUMBERS = st.integers(0, 10**6)
"""Sums of such are exact, so that laws can be held to the bit."""
ERRORS = st.builds(
    Error,
    WHOLE_NUMBERS,
    st.dictionaries(st.sampled_from(SCALES), st.builds(Exposure, WHOLE_NUMBERS, WHOLE_NUMBERS), max_size=4),
)
ENERGY_UJ, SPAN_S = 100_000_000, 2.0


def whole(device: Device, calibration: Calibration | None = None) -> Error:
    """100 J in 2 s."""
    scale = scale_of(device, calibration or default_calibration(device.kind))
    return whole_error(ENERGY_UJ, SPAN_S, scale, edge_uj=1e6)


@given(ERRORS, ERRORS, ERRORS)
def test_adding_is_associative_and_commutative(a: Error, b: Error, c: Error) -> None:
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a


@given(ERRORS)
def test_the_total_of_one_device_is_its_own(error: Error) -> None:
    total = Error() + error
    assert total == error
    assert (total.absolute_95_uj, total.repeatable_95_uj) == (error.absolute_95_uj, error.repeatable_95_uj)


@given(ERRORS, ERRORS)
def test_a_sum_is_never_less_sure_than_both_together_and_its_own_errors_never_cancel(a: Error, b: Error) -> None:
    for width in ("repeatable_95_uj", "absolute_95_uj"):
        together, first, second = (getattr(error, width) for error in (a + b, a, b))
        assert together <= (first + second) * (1 + 1e-9) + 1e-6
    assert (a + b).repeatable_95_uj >= max(a.repeatable_95_uj, b.repeatable_95_uj)


def test_a_whole_device_has_gain_and_offset() -> None:
    error = whole(GPU)
    scale_uj = math.hypot(GAIN_95 * ENERGY_UJ, GPU_OFFSET_95_W * SPAN_S * 1e6)
    assert error.repeatable_95_uj == pytest.approx(Z_95 * 1e6)
    assert error.absolute_95_uj == pytest.approx(math.hypot(error.repeatable_95_uj, scale_uj))


def test_a_part_has_the_gain_only() -> None:
    part = PartAccount(active_uj=ENERGY_UJ, variance_uj2=9e12, systematic_uj=4e6)
    error = part_error(part, scale_of(GPU, default_calibration("gpu")), edge_uj=12e6)
    assert error.repeatable_95_uj == pytest.approx(Z_95 * 13e6)
    assert error.absolute_95_uj == pytest.approx(math.hypot(Z_95 * 13e6, GAIN_95 * ENERGY_UJ))


def test_uncalibrated_devices_of_one_kind_share_their_scale_error() -> None:
    one, both = whole(GPU), whole(GPU) + whole(OTHER)
    scale_uj = math.sqrt(one.absolute_95_uj**2 - one.repeatable_95_uj**2)
    assert both.repeatable_95_uj == pytest.approx(math.sqrt(2) * one.repeatable_95_uj)
    assert both.absolute_95_uj == pytest.approx(math.hypot(both.repeatable_95_uj, 2 * scale_uj))


@pytest.mark.parametrize("others", [(whole(OTHER, METER), whole(GPU, METER)), (whole(GPU), whole(CPU))])
def test_kinds_and_calibrated_devices_are_independent(others: tuple[Error, Error]) -> None:
    a, b = others
    assert (a + b).absolute_95_uj == pytest.approx(math.hypot(a.absolute_95_uj, b.absolute_95_uj))


def test_parts_of_one_calibrated_device_share_its_error() -> None:
    scale = scale_of(GPU, METER)
    half = part_error(PartAccount(active_uj=ENERGY_UJ // 2), scale)
    assert (half + half).absolute_95_uj == pytest.approx(
        part_error(PartAccount(active_uj=ENERGY_UJ), scale).absolute_95_uj
    )


@given(st.integers(0, 10**12), st.floats(0.1, 1000), st.floats(0.5, 2), st.floats(-40, 40))
def test_the_correction_is_a_line_that_ends_at_nothing(
    shown_uj: int, span_s: float, gain: float, offset_w: float
) -> None:
    calibration = Calibration(gain, offset_w)
    found_uj = true_uj(calibration, shown_uj, span_s)
    assert found_uj == max(0, round(gain * shown_uj + offset_w * span_s * 1e6))
    if found_uj > 0:
        assert read_uj(calibration, found_uj, span_s) == pytest.approx(shown_uj, rel=1e-9, abs=2)


@given(st.integers(0, 2**53), st.floats(0.001, 1e6))
def test_without_a_calibration_not_a_microjoule_changes(shown_uj: int, span_s: float) -> None:
    assert true_uj(default_calibration("gpu"), shown_uj, span_s) == shown_uj
