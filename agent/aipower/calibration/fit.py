"""Gain and offset of a sensor from pairs of watts, with their errors.

Model: the meter shows `gain * reading + offset_w` plus scatter. Both sides scatter a little, the reading by its edges,
the meter by its noise. Least squares of the meter on the reading (slope b1) is right where all scatter is the meter's,
the inverse (slope b2 >= b1) where all is the reading's: the truth lies between. We take the line with equal scatter on
both sides (Deming with ratio 1, Adcock 1878) and count the doubt about the ratio, uniform over b1..b2, as
(b2 - b1) / sqrt(12) of standard error. Pairs weigh as long as they last, since the scatter of a mean of white noise
falls with its length.

Around the mean reading m the mean of the meter and the gain are independent:

    Var(gain)         = s2 / Sxx + (b2 - b1)^2 / 12
    Var(offset)       = s2 / W + m^2 Var(gain)
    Cov(gain, offset) = -m Var(gain)

with s2 the residual variance on n - 2 degrees of freedom, W the sum of the weights and Sxx the weighted sum of squares
of the readings around m. The errors grow by Student's t, and by (1 + r) / (1 - r) in variance where neighbouring
residuals are alike (r, their correlation): then there is less news in the pairs than there are pairs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.calibration.entry import Z_95
from aipower.calibration.student import inflation
from aipower.errors import AipowerError
from aipower.model import Calibration

MIN_RANGE = 0.2
"""Readings that vary by less than this part of the highest cannot tell gain from offset."""
MOST_LIKENESS = 0.9
LIKENESS_SE = 2.0
"""Neighbouring residuals count as alike from so many standard errors, 1 / sqrt(n), on."""


class Point(Struct, frozen=True):
    """Mean power over the same time, by our sensor and by the meter."""

    ours_w: float
    meter_w: float
    span_s: float = 1.0


class Fit(Struct, frozen=True):
    """The line through the points."""

    calibration: Calibration
    residual_w: float
    """Standard deviation of the meter's watts around the line."""
    points: tuple[Point, ...]

    @property
    def range_w(self) -> tuple[float, float]:
        """The lowest and the highest reading."""
        return min(point.ours_w for point in self.points), max(point.ours_w for point in self.points)

    @property
    def residuals_w(self) -> tuple[float, ...]:
        """Meter minus line, for each point."""
        line = self.calibration
        return tuple(point.meter_w - line.gain * point.ours_w - line.offset_w for point in self.points)


class _Moments(Struct, frozen=True):
    """Weighted means and sums of squares; the weights sum to the number of points."""

    count: int
    mean_x: float
    mean_y: float
    sxx: float
    syy: float
    sxy: float


def check_range(readings_w: Sequence[float]) -> None:
    """See whether the readings span enough to tell gain from offset.

    Raises:
        AipowerError: They do not, with the remedy.
    """
    low_w, high_w = min(readings_w), max(readings_w)
    if high_w - low_w < MIN_RANGE * high_w or high_w <= 0:
        raise AipowerError(
            f"the readings only go from {low_w:.1f} to {high_w:.1f} W, which cannot tell gain from offset;"
            " hold several steady levels, from idle to full load, for 30 s each"
        )


def fit_points(points: Sequence[Point]) -> Fit:
    """The line through at least three points, with its errors.

    Raises:
        AipowerError: The points do not define a line: too few, too close together, or falling.
    """
    if len(points) < 3:  # noqa: PLR2004 - two points leave no error to estimate
        raise AipowerError(f"{len(points)} load levels define no line with an error; measure at least 3")
    check_range([point.ours_w for point in points])
    moments = _moments(points)
    if moments.sxy <= 0:
        raise AipowerError(
            "the meter's power does not rise with the device's; check that it is in the supply of this very device"
        )
    gain = _deming(moments)
    offset_w = moments.mean_y - gain * moments.mean_x
    line = Fit(Calibration(gain, offset_w), 0.0, tuple(points))
    return _with_errors(line, moments)


def with_meter_error(calibration: Calibration, accuracy: float) -> Calibration:
    """The same with the meter's own error: `accuracy` is its relative 95 % half-width, one factor for all it shows."""
    share = accuracy / Z_95
    return replace(
        calibration,
        gain_se=math.hypot(calibration.gain_se, calibration.gain * share),
        offset_se_w=math.hypot(calibration.offset_se_w, calibration.offset_w * share),
        covariance_w=calibration.covariance_w + calibration.gain * calibration.offset_w * share**2,
    )


def _moments(points: Sequence[Point]) -> _Moments:
    count = len(points)
    total_s = sum(point.span_s for point in points)
    weighted = [(point.span_s * count / total_s, point.ours_w, point.meter_w) for point in points]
    mean_x = sum(w * x for w, x, _ in weighted) / count
    mean_y = sum(w * y for w, _, y in weighted) / count
    return _Moments(
        count,
        mean_x,
        mean_y,
        sum(w * (x - mean_x) ** 2 for w, x, _ in weighted),
        sum(w * (y - mean_y) ** 2 for w, _, y in weighted),
        sum(w * (x - mean_x) * (y - mean_y) for w, x, y in weighted),
    )


def _deming(moments: _Moments) -> float:
    difference = moments.syy - moments.sxx
    return (difference + math.hypot(difference, 2 * moments.sxy)) / (2 * moments.sxy)


def _with_errors(line: Fit, moments: _Moments) -> Fit:
    freedom = moments.count - 2
    total_s = sum(point.span_s for point in line.points)
    weights = [point.span_s * moments.count / total_s for point in line.points]
    residuals_w = line.residuals_w
    scatter_w2 = sum(w * r**2 for w, r in zip(weights, residuals_w, strict=True)) / freedom
    likeness = _likeness(residuals_w)
    grown_w2 = scatter_w2 * inflation(freedom) ** 2 * (1 + likeness) / (1 - likeness)
    doubt = (moments.syy / moments.sxy - moments.sxy / moments.sxx) / math.sqrt(12)
    gain_variance = grown_w2 / moments.sxx + doubt**2
    offset_variance_w2 = grown_w2 / moments.count + moments.mean_x**2 * gain_variance
    calibration = replace(
        line.calibration,
        gain_se=math.sqrt(gain_variance),
        offset_se_w=math.sqrt(offset_variance_w2),
        covariance_w=-moments.mean_x * gain_variance,
    )
    return replace(line, calibration=calibration, residual_w=math.sqrt(scatter_w2))


def _likeness(residuals_w: Sequence[float]) -> float:
    """Correlation of neighbouring residuals, 0 where it may be chance."""
    square_w2 = sum(residual_w**2 for residual_w in residuals_w)
    if square_w2 <= 0:
        return 0.0
    likeness = sum(a * b for a, b in itertools.pairwise(residuals_w)) / square_w2
    if likeness * math.sqrt(len(residuals_w)) < LIKENESS_SE:
        return 0.0
    return min(likeness, MOST_LIKENESS)
