"""From power to energy, where there is no counter to trust."""

from __future__ import annotations

from dataclasses import dataclass

from aipower.model import Device, EnergyDelta


@dataclass(frozen=True, slots=True)
class Power:
    """Power at a moment."""

    at_s: float
    power_w: float


class PowerIntegral:
    """Integrates power readings by the trapezoid rule; a gap longer than `max_gap_s` is left out, not guessed."""

    def __init__(self, device: Device, max_gap_s: float) -> None:
        self._device = device
        self._max_gap_s = max_gap_s
        self._last: Power | None = None

    def gap_s(self, at_s: float) -> float | None:
        """The length of the gap that a reading at `at_s` would end, None where there is none."""
        if self._last is None or at_s - self._last.at_s <= self._max_gap_s:
            return None
        return at_s - self._last.at_s

    def advance(self, at_s: float, power_w: float) -> EnergyDelta | None:
        """The energy since the last reading, or None at the first and after a gap."""
        last, self._last = self._last, Power(at_s, power_w)
        if last is None or not 0 < at_s - last.at_s <= self._max_gap_s:
            return None
        energy_uj = round((last.power_w + power_w) / 2 * (at_s - last.at_s) * 1e6)
        return EnergyDelta(self._device, last.at_s, at_s, energy_uj, "integrated")

    @property
    def last(self) -> Power | None:
        """The latest reading."""
        return self._last
