"""The check of the CPU's energy counters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from aipower.doctor import calibration
from aipower.doctor.finding import Check, Result
from aipower.doctor.text import plural
from aipower.doctor.world import World
from aipower.errors import SensorError
from aipower.model import Device, Unavailable
from aipower.seams import Sensor
from aipower.sensors.rapl import discover, missing


def counters(world: World) -> Result:
    """Which RAPL zones can be read. Their lack is no failure: most virtual machines have none."""
    found = discover(world.powercap or world.sysfs, world.clock, cpuinfo=world.proc / "cpuinfo", io=world.rapl_io)
    try:
        result = _result(found.sensors, found.unavailable)
        return replace(result, then=tuple(_scale(world, sensor.device) for sensor in found.sensors))
    finally:
        for sensor in found.sensors:
            sensor.close()


def _scale(world: World, device: Device) -> Check:
    """The check of how far a zone's watts are known."""
    title = f"{device.kind.upper()} {device.index} calibration"
    return Check(f"{device.id}-calibration", title, partial(calibration.of_device, world, device.id, device.kind))


def _result(sensors: Sequence[Sensor], unavailable: Sequence[Unavailable]) -> Result:
    failures = [failure for sensor in sensors if (failure := _failure(sensor))]
    lacks = [each for each in unavailable if each != missing.no_dram()]  # most CPUs have no memory meter
    names = ", ".join(sensor.device.name for sensor in sensors)
    found = f"{plural(len(sensors), 'counter')}: {names}" if sensors else ""
    if failures:
        return Result("fail", f"a counter cannot be read: {failures[0]}", "see `sudo dmesg | grep -i rapl`")
    if lacks:
        reasons = [f"{each.reason}: {_meaning(each)}" for each in lacks]
        remedies = "; and ".join(dict.fromkeys(each.remedy for each in lacks))
        return Result("warn", "; ".join([*reasons, found] if found else reasons), remedies)
    return Result("ok", found if _has_dram(sensors) else f"{found}; no memory meter: DRAM energy is not measured")


def _failure(sensor: Sensor) -> str:
    try:
        sensor.read()
    except SensorError as error:
        return str(error)
    return ""


def _meaning(lack: Unavailable) -> str:
    part = "DRAM" if lack.kind == "dram" else "CPU"
    return f"{part} energy is not measured and no total holds it"


def _has_dram(sensors: Sequence[Sensor]) -> bool:
    return any(sensor.device.kind == "dram" for sensor in sensors)
