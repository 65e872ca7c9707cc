"""Under which conditions the devices worked during the run: looked at once in a second, never in the agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from aipower.errors import SensorError
from aipower.model import Conditions
from aipower.runrecord import DeviceRecord
from aipower.seams import Conditioned, Sensor


class _Mean(Struct):
    """The mean of what was given to it, None of nothing."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.total, self.count = self.total + value, self.count + 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


class _Device:
    """All that was seen of one device."""

    def __init__(self) -> None:
        self.power_limit_w: float | None = None
        self.performance_state: int | None = None
        self.core_clock_hz, self.memory_clock_hz = _Mean(), _Mean()

    def add(self, seen: Conditions) -> None:
        limits_w = [limit_w for limit_w in (self.power_limit_w, seen.power_limit_w) if limit_w is not None]
        states = [state for state in (self.performance_state, seen.performance_state) if state is not None]
        self.power_limit_w, self.performance_state = min(limits_w, default=None), max(states, default=None)
        self.core_clock_hz.add(seen.core_clock_hz)
        self.memory_clock_hz.add(seen.memory_clock_hz)

    @property
    def conditions(self) -> Conditions:
        clocks_hz = self.core_clock_hz.value, self.memory_clock_hz.value
        return Conditions(self.power_limit_w, self.performance_state, *clocks_hz)


class ConditionLog:
    """Lowest power limit, slowest P-state and mean clocks of each device that says them."""

    def __init__(self) -> None:
        self._devices: dict[str, _Device] = {}

    def look(self, sensors: Iterable[Sensor]) -> None:
        """Ask once. A device that has left tells nothing: that is its reading's fault to report."""
        for sensor in sensors:
            if not isinstance(sensor, Conditioned):
                continue
            try:
                seen = sensor.conditions()
            except SensorError:
                continue
            self._devices.setdefault(sensor.device.id, _Device()).add(seen)

    def summary(self) -> Mapping[str, Conditions]:
        """What was seen so far, by device id."""
        return {id_: device.conditions for id_, device in tuple(self._devices.items())}


def with_conditions(row: DeviceRecord, seen: Mapping[str, Conditions]) -> DeviceRecord:
    """`row` with what was seen of its device."""
    found = seen.get(row.device, Conditions())
    return replace(
        row,
        power_limit_w=found.power_limit_w,
        performance_state=found.performance_state,
        core_clock_hz=found.core_clock_hz,
        memory_clock_hz=found.memory_clock_hz,
    )
