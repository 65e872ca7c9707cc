"""What is known of one device's sensor after its calibration."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct

from aipower.model import Calibration

GAIN_RANGE = (0.5, 2.0)
"""Of the cards whose sensors were compared with a meter in public, 0.91 to 1.15 (docs/calibration.md)."""
Z_95 = 1.959963984540054
"""Half-width of the 95 % interval of a normal distribution, in standard errors."""
ROUNDING = 1e-6
MAX_TEXT_CHARS = 200


class Entry(Struct, frozen=True):
    """One device's entry of a calibration file. True watts are `gain * reading + offset_w`."""

    gain: float
    offset_w: float
    gain_se: float
    """Standard error, as `offset_se_w`."""
    offset_se_w: float
    covariance_w: float
    """Covariance of gain and offset."""
    residual_w: float
    """Standard deviation of the meter's watts around the fit."""
    points: int
    range_w: tuple[float, float]
    """The lowest and highest reading of the sensor that the fit rests on."""
    meter: str = ""
    date: str = ""
    """Day of the fit, as 2026-11-23."""
    device: str = ""
    """The product name, for people."""
    driver: str = ""
    """The version of the driver; another one may mean something else by "power"."""

    def __post_init__(self) -> None:
        """Refuse what no fit can give.

        Raises:
            ValueError: With the field and its value.
        """
        for problem in self._problems():
            raise ValueError(problem)

    @property
    def uncertainty(self) -> float:
        """Relative half-width of the 95 % interval of the highest reading of the fit."""
        reading_w = self.range_w[1]
        truth_w = self.gain * reading_w + self.offset_w
        return Z_95 * self.calibration("").error_uj(reading_w * 1e6, 1.0) / (truth_w * 1e6)

    @property
    def words(self) -> str:
        """For people: `gain 0.958, offset +1.2 W (±0.3 %), 2026-11-23, METER`."""
        scale = f"gain {self.gain:.3f}, offset {self.offset_w:+.1f} W (±{100 * self.uncertainty:.2g} %)"
        return ", ".join(text for text in (scale, self.date, self.meter) if text)

    def calibration(self, source: str) -> Calibration:
        """What the pipeline applies; `source` says where it comes from."""
        return Calibration(
            self.gain, self.offset_w, self.gain_se, self.offset_se_w, self.covariance_w, source
        )  # fmt: skip

    def _problems(self) -> Iterator[str]:
        for name in ("gain", "offset_w", "gain_se", "offset_se_w", "covariance_w", "residual_w"):
            if not math.isfinite(getattr(self, name)):
                yield f"{name} is not finite"
        for name in ("gain_se", "offset_se_w", "residual_w"):
            if getattr(self, name) < 0:
                yield f"{name} is negative: {getattr(self, name):g}"
        low, high = GAIN_RANGE
        if not low <= self.gain <= high:
            yield f"gain {self.gain:g} is not within {low:g} and {high:g}"
        if abs(self.covariance_w) > self.gain_se * self.offset_se_w * (1 + ROUNDING) + ROUNDING**2:
            yield f"covariance_w {self.covariance_w:g} is more than the two errors allow"
        yield from self._range_problems()
        for name in ("meter", "date", "device", "driver"):
            text = getattr(self, name)
            if not text.isprintable() or len(text) > MAX_TEXT_CHARS:
                yield f"{name} is not one printable line of at most {MAX_TEXT_CHARS} characters"

    def _range_problems(self) -> Iterator[str]:
        low_w, high_w = self.range_w
        if not (math.isfinite(low_w) and math.isfinite(high_w) and 0 <= low_w < high_w):
            yield f"range_w is no range of watts: {low_w:g} .. {high_w:g}"
        elif not self.gain * high_w + self.offset_w > 0:
            yield f"offset_w {self.offset_w:g} makes {high_w:g} W negative"
        if self.points < 1:
            yield f"points is {self.points}"
