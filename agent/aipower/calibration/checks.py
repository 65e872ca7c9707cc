"""What a fit must keep to be believed; each refusal says what to do."""

from __future__ import annotations

import math

from aipower.calibration.entry import GAIN_RANGE
from aipower.calibration.fit import Fit
from aipower.errors import AipowerError

MAX_OFFSET_W = 40.0
"""Known cards read 23 W too little to 16 W too much (docs/calibration.md); other parts draw 50 W or more."""
MAX_GAIN_SE = 0.02
MAX_RESIDUAL = 0.03
"""Of the highest power. A sensor and a meter on the same wire agree to 0.3 %."""
MAX_BEND = 0.01
"""A curve that leaves the line by this part of the highest power is no scale error."""
BEND_SE = 4.0


def check_fit(fit: Fit) -> None:
    """Refuse a fit that cannot be the scale of one sensor.

    Raises:
        AipowerError: With the remedy, in one line.
    """
    _check_scale(fit.calibration.gain, fit.calibration.offset_w)
    highest_w = max(point.meter_w for point in fit.points)
    _check_bend(fit, highest_w)
    if fit.residual_w > MAX_RESIDUAL * highest_w:
        raise AipowerError(
            f"the meter scatters by {fit.residual_w:.1f} W around the line; check that nothing else is on the meter,"
            " and hold each load level steady for 30 s"
        )
    gain_se = fit.calibration.gain_se / fit.calibration.gain
    if gain_se > MAX_GAIN_SE:
        raise AipowerError(
            f"the gain is only known to {100 * gain_se:.1f} %, and {100 * MAX_GAIN_SE:g} % is the most allowed;"
            " add load levels, farther apart, and hold them longer"
        )


def _check_scale(gain: float, offset_w: float) -> None:
    low, high = GAIN_RANGE
    if not low <= gain <= high:
        what = "a part of the device's supply (a card has several plugs)" if gain < low else "more than this device"
        raise AipowerError(
            f"gain {gain:.2f} is not within {low:g} and {high:g}: the meter seems to see {what};"
            " check where it is, and that it logs watts"
        )
    if offset_w > MAX_OFFSET_W:
        raise AipowerError(
            f"the meter shows {offset_w:.0f} W without any load of the device: it seems to cover the whole machine;"
            " measure the device's own supply, or take off what the rest draws with --subtract WATTS"
        )
    if offset_w < -MAX_OFFSET_W:
        raise AipowerError(
            f"the meter misses {-offset_w:.0f} W of what the device reads: it seems to see a part of the supply"
            " (a card has several plugs, and the slot feeds it too); put it where all of it flows"
        )


def _check_bend(fit: Fit, highest_w: float) -> None:
    """Whether a parabola fits much better than the line."""
    bend, se, reach = _bend(fit)
    if bend * reach > MAX_BEND * highest_w and bend > BEND_SE * se:
        raise AipowerError(
            f"meter and sensor do not lie on a line (up to {bend * reach:.1f} W off); a power supply between meter and"
            " device does that: measure behind it"
        )


def _bend(fit: Fit) -> tuple[float, float, float]:
    """Curvature of the residuals (W per W^2), its standard error, and the largest W^2 that it multiplies."""
    xs = [point.ours_w for point in fit.points]
    count, mean_x = len(xs), sum(xs) / len(xs)
    centred = [x - mean_x for x in xs]
    sxx = sum(c**2 for c in centred)
    mean_square, skew = sxx / count, sum(c**3 for c in centred) / sxx
    # What of the square no line can follow.
    curve = [c**2 - mean_square - skew * c for c in centred]
    square = sum(z**2 for z in curve)
    if count < 4 or square <= 1e-9 * sxx**2:  # noqa: PLR2004 - three points and two levels leave nothing to judge
        return 0.0, 0.0, 0.0
    bend = sum(z * r for z, r in zip(curve, fit.residuals_w, strict=True)) / square
    rest_w2 = sum((r - bend * z) ** 2 for z, r in zip(curve, fit.residuals_w, strict=True)) / (count - 3)
    return abs(bend), math.sqrt(rest_w2 / square), max(abs(z) for z in curve)
