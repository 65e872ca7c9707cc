"""Recordings and meters with a known truth."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aipower.calibration.readings import Sample
from aipower.calibration.series import EnergySeries, Part
from fake_driver.shapes import Segment, Shape, shapes_energy_j

T0_UNIX_S = 1_780_000_000.0
LEVELS = ((0.0, 25.0), (25.0, 200.0), (50.0, 420.0), (75.0, 110.0), (100.0, 320.0))
"""Start and watts of loads that last 25 s each."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A device on a meter: sensor = gain_of_sensor * truth + offset, as the science lists them."""

    shapes: Sequence[Shape]
    seconds: float = 125.0
    sensor_gain: float = 1.0
    sensor_offset_w: float = 0.0

    @property
    def gain(self) -> float:
        """What the fit should find."""
        return 1 / self.sensor_gain

    @property
    def offset_w(self) -> float:
        return -self.sensor_offset_w / self.sensor_gain

    def ours(self, period_s: float = 0.1) -> EnergySeries:
        def energy_j(start_s: float, end_s: float) -> float:
            truth_j = shapes_energy_j(self.shapes, start_s, end_s)
            return self.sensor_gain * truth_j + self.sensor_offset_w * (end_s - start_s)

        count = round(self.seconds / period_s)
        edges_s = [number * period_s for number in range(count + 1)]
        return EnergySeries([
            Part(T0_UNIX_S + a, T0_UNIX_S + b, energy_j(a, b)) for a, b in itertools.pairwise(edges_s)
        ])  # fmt: skip

    def meter(
        self,
        dice: random.Random,
        *,
        shift_s: float = 0.0,
        noise_w: float = 0.0,
        period_s: float = 1.0,
        change: Callable[[float], float] = lambda watts: watts,
    ) -> list[Sample]:
        """Means of `period_s` with noise, stamped `shift_s` ahead; `change` is the meter's own idea of watts."""
        ends_s = [0.37 + number * period_s for number in range(1, math.floor((self.seconds - 0.37) / period_s))]
        return [
            Sample(
                T0_UNIX_S + end_s + shift_s,
                change(shapes_energy_j(self.shapes, end_s - period_s, end_s) / period_s) + dice.gauss(0, noise_w),
            )
            for end_s in ends_s
        ]


def held(levels: Sequence[tuple[float, float]] = LEVELS, seconds: float = 25.0) -> tuple[Segment, ...]:
    return tuple(Segment(start_s, start_s + seconds, watts) for start_s, watts in levels)


def csv(samples: Sequence[Sample]) -> str:
    return "unix_s,watts\n" + "".join(f"{sample.at_unix_s:.3f},{sample.power_w:.3f}\n" for sample in samples)
