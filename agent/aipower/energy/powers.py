"""The power readings of one device: their integral, their levels, and what they say about its counter."""

from __future__ import annotations

import sys

from aipower.energy.agreement import Agreement, Disagreement
from aipower.energy.average import UnfoldedAverage
from aipower.energy.duty import DutyCheck, Verdict
from aipower.energy.integral import Integral, integral_of
from aipower.energy.levels import Levels
from aipower.energy.shadow import Shadow
from aipower.model import Device, EnergyDelta, Fault, Reading
from aipower.seams import SensorTraits

AVERAGE_PERIOD_S, AVERAGE_WINDOW_S = 0.1, 1.0
"""Of the second power reading, where there is one (NVML_FI_DEV_POWER_AVERAGE, nvml.h and science of A2)."""
LEAST_STEP, MOST_STEP = 0.7, 1.3
"""A step of the counter is one update where its length is so many periods."""
PART_TIME = 0.8
"""A sensor looks part of the time where its window is a smaller share of its period."""


class Powers:
    """Takes in all readings; a power that cannot be is a fault and is not believed."""

    def __init__(self, device: Device, traits: SensorTraits, max_gap_s: float) -> None:
        self.levels = Levels(traits.power_window_s, traits.power_period_s)
        self.shadow = Shadow()
        self.gap: Fault | None = None
        """The latest gap in the readings, until someone has told of it."""
        self._device = device
        self._traits = traits
        # What is not finite is above the highest finite number, so that one comparison finds that as well.
        self._most_w = min(traits.max_power_w, sys.float_info.max)
        self._max_gap_s = max_gap_s
        self._integral = integral_of(traits, max_gap_s)
        self.period_s = self._integral.period_s
        """How often power is published."""
        self.part_time = self._looks_in_part()
        """True where the sensor looks part of the time only."""
        self._average: Integral = UnfoldedAverage(AVERAGE_PERIOD_S, AVERAGE_WINDOW_S, max_gap_s)
        self._averages = False
        self._agreement = Agreement()
        self._duty = DutyCheck()
        self._read_s: float | None = None

    @property
    def seen(self) -> bool:
        """True once there was a reading of power."""
        return self._read_s is not None

    @property
    def lag_s(self) -> float:
        """How far behind the readings their integral ends."""
        return self._integral.lag_s

    @property
    def variance_uj2(self) -> float:
        """Variance of the integral so far, in square microjoules."""
        return self._integral.variance_uj2

    @property
    def timing_se_s(self) -> float:
        """Standard error of the instants between the integral's parts."""
        return self._integral.timing_se_s

    @property
    def unseen_s(self) -> float:
        """How much of each period no reading shows."""
        return self._integral.unseen_s

    @property
    def duty(self) -> Verdict:
        """What part of the time the counter sees, as far as a sensor that looks part of the time can tell."""
        return self._duty.verdict if self.part_time else "unknown"

    @property
    def disagreement(self) -> Disagreement | None:
        """What counter and readings say where both cannot be right.

        A sensor that looks part of the time is no witness: it differs from a counter that sees all of it, and tells
        the same as one that sees no more.
        """
        if not self._agreement.apart:
            return None
        witness = self._average if self._averages else self._integral
        if not witness.sure or (self.part_time and not self._averages):
            return None
        return self._agreement.disagreement(witness.period_s)

    def advance(self, reading: Reading) -> Fault | None:
        """Take in one reading; a fault where its power cannot be."""
        power_w = reading.power_w
        if power_w is None:
            return None
        if not 0 <= power_w <= self._most_w:
            return Fault(self._device.id, reading.at_s, "implausible", retry=True, detail=f"power of {power_w} W")
        at_s, before_s = reading.at_s, self._read_s
        self._read_s = at_s
        if before_s is None:
            before_s = at_s
            self._duty.begin(power_w)
        elif at_s - before_s > self._max_gap_s:
            detail = f"no power for {at_s - before_s:.1f} s; its energy is missing"
            self.gap = Fault(self._device.id, at_s, "gap", retry=True, detail=detail)
            self._agreement.interrupt()
        self.levels.see(before_s, at_s, power_w)
        self._integrate(at_s, power_w)
        average_w = reading.average_w
        if average_w is not None and 0 <= average_w <= self._most_w:
            self._check_average(at_s, average_w)
        return None

    def step(self, delta: EnergyDelta, power_w: float | None, period_s: float) -> None:
        """Take in a step of the counter, and the power that was read with it."""
        self._agreement.see_counter(delta)
        if self.part_time and power_w is not None:
            span_s = delta.end_s - delta.start_s
            if LEAST_STEP * period_s <= span_s <= MOST_STEP * period_s:
                self._duty.see(delta.energy_uj / 1e6 / period_s, power_w)

    def interrupted(self) -> None:
        """The counter began anew."""
        self._agreement.interrupt()

    def _integrate(self, at_s: float, power_w: float) -> None:
        integral = self._integral
        parts = integral.advance(at_s, power_w)
        for part in parts:
            self.shadow.add(part)
        if parts and not self._averages:
            self._agreement.see_integral(parts, integral.variance_uj2)
        if integral.period_s != self.period_s:
            self.period_s = integral.period_s
            self.part_time = self._looks_in_part()
            if not self._averages:
                self._agreement = Agreement()

    def _check_average(self, at_s: float, average_w: float) -> None:
        """Let the running average, which looks all of the time, be the witness from its first reading on."""
        if not self._averages:
            self._averages, self._agreement = True, Agreement()
        average = self._average
        period_s = average.period_s
        parts = average.advance(at_s, average_w)
        if parts:
            self._agreement.see_integral(parts, average.variance_uj2)
        if average.period_s != period_s:
            self._agreement = Agreement()

    def _looks_in_part(self) -> bool:
        return self._traits.power_window_s < PART_TIME * self.period_s
