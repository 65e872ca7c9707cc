"""How often each GPU's sensors publish, and over how long their power is a mean.

Figures: Yang, Adamek and Armour (SC'24) for Pascal to Hopper with drivers of 2023; what nvml.h says for newer ones.
A GeForce whose driver serves power from its cache may publish every 500 ms instead: that is learned at run time.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from aipower.sensors.nvml.codes import CallError
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.fields import AVERAGE, INSTANT, Source

PASCAL, VOLTA, TURING, AMPERE, ADA, HOPPER = 4, 5, 6, 7, 8, 9
"""NVML_DEVICE_ARCH_* of nvml.h; Blackwell is 10, Rubin 13. GA100 and GA10x are both 7."""
FAST_PERIOD_S, PERIOD_S = 0.02, 0.1
SECOND_S = 1.0
"""The running average of newer cards."""
GA100_DEVICES = 0x20
"""The high byte of GA100's PCI device ids (A100, A30, A800); those of GA10x begin at 0x22."""
GA100_NAMES = re.compile(r"\bA(?:100X?|800|30X?)\b")
INSTANT_DRAW_DRIVER = 530
"""With this driver alone the plain power call was instant on GA10x and Ada."""


class SensorModel(Struct, frozen=True):
    """One card's sensors, in seconds."""

    counter_period_s: float
    """How often the energy counter moves."""
    power_period_s: float
    """How often power is published."""
    power_window_s: float
    """Over how long it is the mean."""


class Card(Struct, frozen=True):
    """What tells the sensors of cards apart; None and "" where the driver does not say."""

    architecture: int | None
    name: str = ""
    pci_device: int | None = None
    """The PCI device id, without the vendor's."""
    driver: str = ""
    has_average: bool = False
    """True where the 1 s average can be had as a field of its own: never on GA100."""

    @property
    def is_ga100(self) -> bool:
        """True for the large Ampere, whose plain power is instant."""
        if self.architecture != AMPERE or self.has_average:
            return False
        if self.pci_device is not None:
            return self.pci_device >> 8 == GA100_DEVICES
        return GA100_NAMES.search(self.name) is not None


def card_of(driver: Driver, handle: Any, name: str, *, has_average: bool) -> Card:  # noqa: ANN401 - an NVML handle
    """What the driver says of the GPU called `name`."""
    return Card(
        driver.number("nvmlDeviceGetArchitecture", handle),
        name,
        _pci_device(driver, handle),
        driver.text("nvmlSystemGetDriverVersion"),
        has_average,
    )


def model_of(card: Card, power: Source | None) -> SensorModel:
    """The sensors of `card` where its power comes from the source `power`."""
    period_s = FAST_PERIOD_S if card.architecture in {PASCAL, VOLTA} else PERIOD_S
    window_s = SECOND_S if _is_average(card, power) else _instant_window_s(card)
    return SensorModel(period_s, period_s, window_s)


def _is_average(card: Card, power: Source | None) -> bool:
    """True where `power` is the mean of a second."""
    if power in {INSTANT, AVERAGE}:
        return power == AVERAGE
    if card.architecture is None or card.architecture >= HOPPER:
        return True
    if card.architecture < AMPERE or card.is_ga100:
        return False
    return card.driver.partition(".")[0] != str(INSTANT_DRAW_DRIVER)


def _instant_window_s(card: Card) -> float:
    """The part of each period that instant power looks at; that of Hopper is assumed for newer cards."""
    if card.architecture in {PASCAL, VOLTA}:
        return 0.01
    if card.is_ga100 or (card.architecture or HOPPER) >= HOPPER:
        return 0.025
    return 0.02 if re.search(r"\bRTX 8000\b", card.name) else PERIOD_S


def _pci_device(driver: Driver, handle: Any) -> int | None:  # noqa: ANN401 - an NVML handle
    """The upper half of NVML's pciDeviceId; the lower one is the vendor's."""
    try:
        return int(driver.call("nvmlDeviceGetPciInfo", handle).pciDeviceId) >> 16
    except (CallError, AttributeError, TypeError, ValueError):
        return None
