"""GPUs whose calls are made by other threads, so that one that hangs costs only itself."""

from __future__ import annotations

from collections.abc import Callable

from aipower.attribution.usage import merge
from aipower.errors import SensorError
from aipower.model import Conditions, Reading, Usage
from aipower.seams import Clock, Conditioned, Sensor, SensorSet, UsageSource
from aipower.sensors.caller import PATIENCE_S, Asked, Caller
from aipower.sensors.calls import HungError, hanging
from aipower.sensors.crew import Crew

__all__ = ["HungError", "hanging", "off_thread"]


def off_thread(found: SensorSet, clock: Clock, patience_s: float = PATIENCE_S) -> SensorSet:
    """`found`, where calls to a GPU or its usage raise HungError after `patience_s`, and at once while one hangs.

    When the late answer has come, the next call works. Other devices stay as they are. One thread may ask.
    """
    crew = Crew(clock)
    callers = {
        sensor.device.id: Caller(sensor.device.id, crew, patience_s)
        for sensor in found.sensors
        if sensor.device.kind == "gpu"
    }
    sensors = [_sensor(sensor, callers.get(sensor.device.id)) for sensor in found.sensors]
    usage = {device: _usage(source, callers.get(device)) for device, source in found.usage.items()}
    return SensorSet(sensors, usage, found.unavailable)


class OffThreadSensor:
    """A sensor that is read by another thread."""

    def __init__(self, sensor: Sensor, caller: Caller) -> None:
        self.device = sensor.device
        self.facts = sensor.facts
        self.traits = sensor.traits
        self._close = sensor.close
        self._caller = caller
        self._read = Asked(caller, sensor.read)

    def expect(self) -> None:
        """It is read next, together with all others that are told so."""
        self._read.expect()

    def read(self) -> Reading:
        """A reading, stamped at the read.

        Raises:
            HungError: It has not come in time. It is of no use once it comes.
            SensorFailedError: This read failed; the next may work.
            SensorGoneError: The device has left.
        """
        return self._read()

    def close(self) -> None:
        """Free what it holds, at the latest when the call that hangs returns. Safe to call twice."""
        self._caller.close(self._close)


class ConditionedOffThreadSensor(OffThreadSensor):
    """One that can say under which conditions its device works."""

    def __init__(self, sensor: Sensor, caller: Caller, conditions: Callable[[], Conditions]) -> None:
        super().__init__(sensor, caller)
        self._conditions = Asked(caller, conditions)

    def conditions(self) -> Conditions:
        """The conditions now, each None where the device does not say.

        Raises:
            HungError: They have not come in time.
            SensorGoneError: The device has left.
        """
        return self._conditions()


class OffThreadUsage:
    """A source of usage that is asked by the thread that reads its device.

    A usage that comes late is joined to the next one: the source has told of that time and will not tell again, while
    the counter's next step holds all the energy of it.
    """

    def __init__(self, source: UsageSource, caller: Caller) -> None:
        self._ask = Asked(caller, source.collect, self._keep)
        self._kept: Usage | None = None

    def expect(self) -> None:
        """It is asked next, together with all others that are told so."""
        self._ask.expect()

    def collect(self) -> Usage:
        """The usage since the last that was handed out.

        Raises:
            HungError: It has not come in time.
            SensorFailedError: Nothing is known of this window.
            SensorGoneError: The device has left.
        """
        try:
            usage = self._ask()
        except HungError:
            raise
        except SensorError:
            self._kept = None  # the source has left out a window: what is before it does not join what comes after
            raise
        usage, self._kept = self._joined(usage), None
        return usage

    def _keep(self, usage: Usage) -> None:
        self._kept = self._joined(usage)

    def _joined(self, usage: Usage) -> Usage:
        return usage if self._kept is None else merge((self._kept, usage))


def _sensor(sensor: Sensor, caller: Caller | None) -> Sensor:
    if caller is None:
        return sensor
    if isinstance(sensor, Conditioned):
        return ConditionedOffThreadSensor(sensor, caller, sensor.conditions)
    return OffThreadSensor(sensor, caller)


def _usage(source: UsageSource, caller: Caller | None) -> UsageSource:
    return source if caller is None else OffThreadUsage(source, caller)
