"""Hands each reading and usage that the agent takes on to the runs that listen: a sensor is read once for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeVar

from aipower.attribution.usage import merge
from aipower.errors import SensorError, SensorFailedError
from aipower.model import Conditions, Device, DeviceFacts, Reading, Usage
from aipower.seams import Conditioned, Sensor, SensorSet, SensorTraits, UsageSource
from aipower.sensors.ahead import announce

_T = TypeVar("_T")

MOST_WAITING = 4096
"""Events kept for a listener that does not look; the oldest go first."""


class Feed:
    """One listener's end of a device's readings: a sensor that reads what the agent has read."""

    def __init__(self, sensor: Sensor) -> None:
        self.device: Device = sensor.device
        self.facts: DeviceFacts = sensor.facts
        self.traits: SensorTraits = sensor.traits
        self.waiting: deque[Reading | SensorError] = deque(maxlen=MOST_WAITING)

    def read(self) -> Reading:
        """The oldest reading that was not read yet.

        Raises:
            SensorError: The agent's own attempt failed, or there is nothing new.
        """
        event = self.waiting.popleft() if self.waiting else SensorFailedError("no_reading", "nothing was read")
        if isinstance(event, SensorError):
            raise event
        return event

    def close(self) -> None:
        """Drop what was not read."""
        self.waiting.clear()


class ConditionedFeed(Feed):
    """The feed of a device that says under which conditions it works."""

    def __init__(self, sensor: Sensor) -> None:
        super().__init__(sensor)
        self._sensor = sensor

    def conditions(self) -> Conditions:
        """The conditions now.

        Raises:
            SensorError: The device does not answer.
        """
        assert isinstance(self._sensor, Conditioned)  # noqa: S101 - `_feed` has made sure
        return self._sensor.conditions()


class UsageFeed:
    """One listener's end of a device's usage."""

    def __init__(self) -> None:
        self.waiting: deque[Usage | SensorError] = deque(maxlen=MOST_WAITING)

    def collect(self) -> Usage:
        """The usage since the last call.

        Raises:
            SensorError: The agent's own attempt failed, or there is nothing new.
        """
        usages: list[Usage] = []
        error: SensorError = SensorFailedError("no_usage", "nobody was asked yet")
        while self.waiting:
            event = self.waiting.popleft()
            if isinstance(event, Usage):
                usages.append(event)
            else:
                error = event
        if not usages:
            raise error
        return merge(usages)


class Taps:
    """Wraps the agent's sensors, and makes feeds of them. To be used by the sampler's thread alone."""

    def __init__(self) -> None:
        self._sensors: dict[str, Sensor] = {}
        self._feeds: dict[str, list[Feed]] = {}
        self._usages: dict[str, list[UsageFeed]] = {}

    def wrap(self, found: SensorSet) -> SensorSet:
        """`found`, whose readings and GPU usages go to all feeds as well; a device that came back keeps its feeds."""
        for sensor in found.sensors:
            self._sensors[sensor.device.id] = sensor
        gpus = {sensor.device.id for sensor in found.sensors if sensor.device.kind == "gpu"}
        sensors = [_tapped(s, self._feeds.setdefault(s.device.id, [])) for s in found.sensors]
        usage = {
            id_: _TappedUsage(source, self._usages.setdefault(id_, [])) if id_ in gpus else source
            for id_, source in found.usage.items()
        }
        return SensorSet(sensors, usage, found.unavailable)

    def listen(self) -> SensorSet:
        """A feed of each device; the usage of processors is the listener's own business."""
        feeds = [_feed(sensor) for sensor in self._sensors.values()]
        usages = {id_: UsageFeed() for id_ in self._usages}
        for feed in feeds:
            self._feeds[feed.device.id].append(feed)
        for id_, usage in usages.items():
            self._usages[id_].append(usage)
        return SensorSet(feeds, usages)

    def leave(self, listener: SensorSet) -> None:
        """Feed `listener` no more."""
        _drop(self._feeds.values(), listener.sensors)
        _drop(self._usages.values(), listener.usage.values())


class _TappedSensor:
    """A sensor whose readings and errors are handed on."""

    def __init__(self, sensor: Sensor, feeds: list[Feed]) -> None:
        self.device, self.facts, self.traits = sensor.device, sensor.facts, sensor.traits
        self._sensor = sensor
        self._feeds = feeds

    def expect(self) -> None:
        announce((self._sensor,))

    def read(self) -> Reading:
        if not self._feeds:
            return self._sensor.read()
        try:
            reading = self._sensor.read()
        except SensorError as error:
            self._tell(error)
            raise
        except Exception as error:
            self._tell(SensorFailedError("internal", f"{type(error).__name__}: {error}"))
            raise
        self._tell(reading)
        return reading

    def close(self) -> None:
        self._sensor.close()

    def _tell(self, event: Reading | SensorError) -> None:
        for feed in self._feeds:
            feed.waiting.append(event)


class _TappedConditionedSensor(_TappedSensor):
    """One that can say under which conditions its device works."""

    def conditions(self) -> Conditions:
        assert isinstance(self._sensor, Conditioned)  # noqa: S101 - `_tapped` has made sure
        return self._sensor.conditions()


class _TappedUsage:
    """A source of usage whose answers and errors are handed on."""

    def __init__(self, source: UsageSource, feeds: list[UsageFeed]) -> None:
        self._source = source
        self._feeds = feeds

    def expect(self) -> None:
        announce((self._source,))

    def collect(self) -> Usage:
        try:
            usage = self._source.collect()
        except SensorError as error:
            self._tell(error)
            raise
        self._tell(usage)
        return usage

    def _tell(self, event: Usage | SensorError) -> None:
        for feed in self._feeds:
            feed.waiting.append(event)


def _tapped(sensor: Sensor, feeds: list[Feed]) -> _TappedSensor:
    make = _TappedConditionedSensor if isinstance(sensor, Conditioned) else _TappedSensor
    return make(sensor, feeds)


def _feed(sensor: Sensor) -> Feed:
    return ConditionedFeed(sensor) if isinstance(sensor, Conditioned) else Feed(sensor)


def _drop(lists: Iterable[list[_T]], members: Iterable[object]) -> None:
    """Take `members` out of `lists`, which others hold as well."""
    gone = {id(member) for member in members}
    for list_ in lists:
        list_[:] = [member for member in list_ if id(member) not in gone]
