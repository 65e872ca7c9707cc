"""Sensors behind the seam of real ones, whose counters wrap and begin anew as those of NVML and RAPL do."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

from aipower.model import Device, DeviceFacts, Reading
from aipower.seams import Clock, SensorTraits
from aipower.sensors.rapl.zone import DRAM_MAX_W, PACKAGE_MAX_W, modulus_uj
from benchmarks.month.course import Course

PUBLISH_MS = 100
"""A GPU's counter moves so often; that of a processor each millisecond."""
UNIT_NJ = 61_035
"""One unit of RAPL, 2^-14 J, in nanojoules as the kernel rounds it."""
RANGE_UJ = (2**32 - 1) * UNIT_NJ // 1000
"""The most that 32 bits of such units show."""
KEPT = 64
"""Readings of which the true total is remembered: the account lags behind by a few."""
GPU_MAX_W = 1000.0


@dataclass(slots=True)
class Meter:
    """What is known of a counter beside what it shows."""

    recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """What was shown, and the total of all steps until then, of the latest readings."""
    reads: int = 0
    wraps: int = 0
    resets: int = 0

    def note(self, shown_uj: int, total_uj: int) -> None:
        """A reading."""
        self.reads += 1
        self.recent.append((shown_uj, total_uj))

    def total_at(self, shown_uj: int) -> int:
        """The total at the latest reading that has shown `shown_uj`.

        Raises:
            LookupError: None of the latest has.
        """
        for shown, total in reversed(self.recent):
            if shown == shown_uj:
                return total
        raise LookupError(f"no reading has shown {shown_uj} uJ lately")


class GpuCounter:
    """Millijoules since the driver was loaded; it begins at 0 again at random moments, and shows its power too."""

    def __init__(self, device: Device, course: Course, clock: Clock, reset_each_s: float, dice: random.Random) -> None:
        self.device = device
        self.facts = DeviceFacts(device.id, "simulated")
        self.traits = SensorTraits(PUBLISH_MS / 1e3, max_power_w=GPU_MAX_W)
        self.meter = Meter()
        self.course = course
        self._clock = clock
        self._dice = dice
        self._reset_each_s = reset_each_s
        self._base_mj = 0
        self._reset_s = clock.monotonic_s() + self._next_s()

    def read(self) -> Reading:
        """As last published."""
        at_s = self._clock.monotonic_s()
        published_ms = int(at_s * 1000) // PUBLISH_MS * PUBLISH_MS
        total_mj = self.course.energy_uj(published_ms) // 1000
        if at_s >= self._reset_s:
            self._base_mj, self._reset_s = total_mj, at_s + self._next_s()
            self.meter.resets += 1
        shown_uj = 1000 * (total_mj - self._base_mj)
        self.meter.note(shown_uj, 1000 * total_mj)
        return Reading(at_s, shown_uj, self.course.level_mw / 1e3)

    def close(self) -> None:
        """Nothing to free."""

    def _next_s(self) -> float:
        return self._reset_each_s * self._dice.uniform(0.5, 1.5)


class RaplCounter:
    """32 bits of units, shown in microjoules as the kernel computes them."""

    def __init__(self, device: Device, course: Course, clock: Clock) -> None:
        self.device = device
        self.facts = DeviceFacts()
        most_w = DRAM_MAX_W if device.kind == "dram" else PACKAGE_MAX_W
        self._modulus_uj = modulus_uj(RANGE_UJ) or 0
        self.traits = SensorTraits(0.001, counter_modulus_uj=self._modulus_uj, max_power_w=most_w)
        self.meter = Meter()
        self.course = course
        self._clock = clock

    def read(self) -> Reading:
        """As it is now."""
        at_s = self._clock.monotonic_s()
        units = self.course.energy_uj(int(at_s * 1000)) * 1000 // UNIT_NJ
        self.meter.wraps, shown_units = divmod(units, 2**32)
        shown_uj = shown_units * UNIT_NJ // 1000
        self.meter.note(shown_uj, self.meter.wraps * self._modulus_uj + shown_uj)
        return Reading(at_s, shown_uj)

    def close(self) -> None:
        """Nothing to free."""


Counter = GpuCounter | RaplCounter
