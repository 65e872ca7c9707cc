"""Hands the windows of the agent's meter on to the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from aipower.calibration.default import default_calibration
from aipower.channel import Channel
from aipower.history.book import HistoryBook
from aipower.model import Attribution, Calibration, EnergyDelta, Kind, Usage


class Chronicle:
    """Listens to a meter; called on the sampler's thread."""

    def __init__(self, history: HistoryBook, calibrations: Mapping[str, Calibration]) -> None:
        self._history = history
        self._calibrations = calibrations
        self._usual = {kind: default_calibration(kind) for kind in get_args(Kind)}

    def taken(self, channel: Channel, window: EnergyDelta, usage: Usage | None) -> None:
        """Nothing: what is kept is what was attributed."""

    def posted(self, attribution: Attribution) -> None:
        """Keep a window."""
        device = attribution.delta.device
        calibration = self._calibrations.get(device.id) or self._usual[device.kind]
        self._history.post(attribution, calibration)
