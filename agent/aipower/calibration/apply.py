"""From what a sensor shows to what was drawn, and back."""

from __future__ import annotations

from aipower.model import UJ_PER_J, Calibration


def true_uj(calibration: Calibration, read_uj: int, span_s: float) -> int:
    """The energy behind `read_uj` over `span_s`, in whole microjoules.

    An offset may take away more than was read: then it is 0, and nothing is owed to the next window.
    """
    return max(0, round(calibration.gain * read_uj + calibration.offset_w * span_s * UJ_PER_J))


def true_w(calibration: Calibration, read_w: float) -> float:
    """The power behind `read_w` in watts, never below 0."""
    power_w = calibration.gain * read_w + calibration.offset_w
    return power_w if power_w > 0 else 0.0


def read_uj(calibration: Calibration, energy_uj: float, span_s: float) -> float:
    """What a sensor shows where `energy_uj` is used over `span_s`, in microjoules, never below 0."""
    return max(0.0, (energy_uj - calibration.offset_w * span_s * UJ_PER_J) / calibration.gain)
