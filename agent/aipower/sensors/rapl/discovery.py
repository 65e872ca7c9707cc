"""Finds the zones to count, opens them and says what is missing."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from aipower.errors import SensorError
from aipower.model import Device, Kind, Unavailable
from aipower.seams import Clock, SensorSet, SystemClock
from aipower.sensors.rapl import missing
from aipower.sensors.rapl.cpuinfo import models
from aipower.sensors.rapl.files import FileIo, SystemIo
from aipower.sensors.rapl.layout import Zone, choose, find_powercap, hidden, scan
from aipower.sensors.rapl.mirror import mirrored
from aipower.sensors.rapl.zone import RaplSensor

POWERCAP: Final = Path("/sys/class/powercap")
SYSTEM_CLOCK: Final = SystemClock()
SYSTEM_IO: Final = SystemIo()


class _Found(Struct):
    """What discovery has gathered so far."""

    sensors: list[tuple[Zone, RaplSensor]] = field(default_factory=list)
    denied: dict[Kind, list[Zone]] = field(default_factory=dict)
    unavailable: list[Unavailable] = field(default_factory=list)


def discover(
    root: Path = POWERCAP,
    clock: Clock = SYSTEM_CLOCK,
    *,
    cpuinfo: Path | None = None,
    io: FileIo = SYSTEM_IO,
) -> SensorSet:
    """One open sensor for each package (or die with a meter of its own) and each dram zone; `usage` is empty.

    `root` is the powercap directory or a sysfs that holds it; `cpuinfo` gives the CPUs' product names.
    Telling mirrored dies apart may sleep up to 10 ms of `clock` for each pair. Raises nothing:
    what is missing or may not be read is in `unavailable`.
    """
    powercap = find_powercap(root)
    zones = scan(powercap, io) if powercap else ()
    chosen = choose(zones)
    if powercap is None or not chosen:
        return SensorSet(unavailable=(_absence(powercap, zones),))
    found = _Found()
    _open_all(chosen, models(cpuinfo), clock, io, found)
    sensors = _without_mirrors(found, clock)
    return SensorSet(sensors=sensors, unavailable=(*found.unavailable, *_refusals(chosen, found)))


def _absence(powercap: Path | None, zones: Sequence[Zone]) -> Unavailable:
    if zones:
        return missing.no_package()
    if powercap is None:
        return missing.no_rapl()
    if not os.access(powercap, os.R_OK | os.X_OK):
        return missing.closed(powercap)
    return missing.masked() if hidden(powercap) else missing.no_rapl()


def _refusals(chosen: Sequence[Zone], found: _Found) -> list[Unavailable]:
    refusals = [missing.denied(kind, zones) for kind, zones in found.denied.items()]
    if all(_kind(zone) == "cpu" for zone in chosen):
        refusals.append(missing.no_dram())
    return refusals


def _open_all(chosen: Sequence[Zone], names: Mapping[int, str], clock: Clock, io: FileIo, found: _Found) -> None:
    by_id = {zone.id: zone for zone in chosen}
    for zone in chosen:
        package = by_id.get(zone.parent_id, zone)
        sensor = RaplSensor(_device(zone, package, names), zone, clock, io)
        try:
            sensor.open()
        except OSError as error:
            _note_refusal(zone, error, found)
        else:
            found.sensors.append((zone, sensor))


def _note_refusal(zone: Zone, error: OSError, found: _Found) -> None:
    if error.errno in (errno.EACCES, errno.EPERM):
        found.denied.setdefault(_kind(zone), []).append(zone)
    else:
        found.unavailable.append(missing.not_opened(_kind(zone), zone, error))


def _kind(zone: Zone) -> Kind:
    return "dram" if zone.socket is None else "cpu"


def _device(zone: Zone, package: Zone, names: Mapping[int, str]) -> Device:
    socket = package.socket or 0
    if zone is not package:
        return Device(zone.id, "dram", f"dram of {package.name}", str(socket), package.id)
    model = names.get(socket)
    return Device(zone.id, "cpu", f"{zone.name} ({model})" if model else zone.name, str(socket))


def _without_mirrors(found: _Found, clock: Clock) -> tuple[RaplSensor, ...]:
    """The sensors less those dies, with their dram, that show a counter which is counted already."""
    dropped: set[str] = set()
    kept: list[tuple[Zone, RaplSensor]] = []
    for zone, sensor in found.sensors:
        if zone.parent_id in dropped or _is_repeated(zone, sensor, kept, clock, found):
            dropped.add(zone.id)
            sensor.close()
        else:
            kept.append((zone, sensor))
    return tuple(sensor for _, sensor in kept)


def _is_repeated(
    zone: Zone, sensor: RaplSensor, kept: Sequence[tuple[Zone, RaplSensor]], clock: Clock, found: _Found
) -> bool:
    if zone.socket is None:
        return False
    for other, counted in kept:
        if other.socket != zone.socket:
            continue
        try:
            if mirrored(counted, sensor, clock):
                return True
        except SensorError as error:
            found.unavailable.append(missing.undecided(zone, other.id, str(error)))
            return True
    return False
