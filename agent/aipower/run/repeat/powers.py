"""The power of each device now, from sensors that are opened for the cool-down alone.

They are closed before a run begins: an open driver keeps some GPUs from their deepest sleep, and the run's wrapper
opens them for itself.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from aipower.channel import Channel
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.seams import Clock, SensorSet
from aipower.sensors.select import Machine, discover, parse_selection

MEAN_S = 0.75
"""Powers are means over this time: a processor's jump by a third from one tenth of a second to the next."""
MAX_GAP_S = 5.0

OpenSensors = Callable[[], SensorSet]


def sensors_of(words: str, clock: Clock) -> OpenSensors:
    """What opens the sensors that `--sensors WORDS` means."""

    def open_sensors() -> SensorSet:
        table = ProcessTable(ProcFs(), clock)
        return discover(parse_selection(words), Machine(table, clock, os.environ), None).sensors

    return open_sensors


class Powers:
    """The devices' powers. Not thread-safe."""

    def __init__(self, found: SensorSet, clock: Clock) -> None:
        self._clock = clock
        self._channels = [Channel(sensor, None, MAX_GAP_S, clock) for sensor in found.sensors]
        self._seen: dict[str, deque[tuple[float, float]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for channel in self._channels:
            channel.sensor.close()

    def look(self) -> None:
        """Read all sensors once; one that fails has no power until it works again."""
        for channel in self._channels:
            channel.sample()
            power_w = channel.power.latest_w
            if not channel.up or power_w is None:
                self._seen.pop(channel.sensor.device.id, None)
                continue
            self._note(channel.sensor.device.id, power_w)

    def means_w(self) -> Mapping[str, float]:
        """The mean of the last `MEAN_S` of each device that was seen for that long."""
        return {
            device: sum(power_w for _, power_w in seen) / len(seen)
            for device, seen in self._seen.items()
            if seen[-1][0] - seen[0][0] >= MEAN_S
        }

    def _note(self, device: str, power_w: float) -> None:
        """Keep what the mean needs: of what is older than that, the newest."""
        seen, now_s = self._seen.setdefault(device, deque()), self._clock.monotonic_s()
        seen.append((now_s, power_w))
        while len(seen) > 1 and seen[1][0] <= now_s - MEAN_S:
            seen.popleft()
