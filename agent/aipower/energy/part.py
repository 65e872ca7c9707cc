"""A part of an integral of power."""

from __future__ import annotations

from msgspec import Struct

from aipower.model import Device, EnergyDelta


class Part(Struct, frozen=True, gc=False):
    """Energy from `start_s` to the later `end_s`.

    Most parts are only held against a counter, so they are made by the hundred and carry no more than this.
    """

    start_s: float
    end_s: float
    energy_uj: int

    def after(self, at_s: float) -> Part:
        """What is after an instant inside, in proportion to time."""
        before_uj = proportion_uj(self.energy_uj, at_s - self.start_s, self.end_s - at_s)
        return Part(at_s, self.end_s, self.energy_uj - before_uj)

    def of(self, device: Device) -> EnergyDelta:
        """As energy of `device`."""
        return EnergyDelta(device, self.start_s, self.end_s, self.energy_uj, "integrated")


def proportion_uj(energy_uj: int, left_s: float, right_s: float) -> int:
    """The share of `left_s` in energy over `left_s + right_s`, whole and from 0 to all."""
    share_uj = energy_uj * left_s / (left_s + right_s)
    if share_uj <= 0:
        return 0
    return round(share_uj) if share_uj <= energy_uj else energy_uj
