"""A counter that stands still although the device draws power."""

from __future__ import annotations

from aipower.model import Device, Fault

STUCK_S = 1.0
STUCK_PERIODS = 10
"""A device that draws power moves its counter each period (100 ms at most, science of A2); ten missed in a row are
not jitter. Some drivers and mocks serve a constant."""


class Stillness:
    """Since when the counter has not moved."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._moved_s: float | None = None
        self._told = False
        self.counted = False
        """True once there was a counter."""

    def see(self, at_s: float, *, moved: bool) -> None:
        """A read of the counter, with news or without."""
        if moved or not self.counted:
            self._moved_s, self._told, self.counted = at_s, False, True

    def too_long(self, at_s: float, period_s: float) -> bool:
        """True when a counter of this period would have moved."""
        if self._moved_s is None:
            return False
        still_s = at_s - self._moved_s
        return still_s > STUCK_S and still_s > STUCK_PERIODS * period_s

    def fault(self, at_s: float, consequence: str) -> Fault:
        """What to say of it."""
        detail = f"the counter stands still{consequence}"
        return Fault(self._device.id, at_s, "counter_stuck", retry=True, detail=detail)

    def fault_once(self, at_s: float, consequence: str) -> Fault | None:
        """The same, only once until it moves again."""
        if self._told:
            return None
        self._told = True
        return self.fault(at_s, consequence)
