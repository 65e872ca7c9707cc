"""Which sensor is to be calibrated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aipower.errors import UsageError
from aipower.model import Device
from aipower.processes.procfs import ProcFs
from aipower.processes.table import ProcessTable
from aipower.seams import Clock, Sensor
from aipower.sensors.select import Machine, discover, parse_selection


def find_sensor(wanted: str | None, selection: str, clock: Clock, environ: Mapping[str, str]) -> Sensor:
    """The sensor that `wanted` names by id, `gpu:0` or index of a GPU; the only one there is for None.

    Raises:
        UsageError: There is none such, with those that there are.
    """
    machine = Machine(ProcessTable(ProcFs(), clock), clock, environ)
    found = discover(parse_selection(selection), machine, None).sensors
    if not found.sensors:
        reasons = "; ".join(f"{lack.source}: {lack.reason}" for lack in found.unavailable)
        raise UsageError(f"no sensor to calibrate: {reasons or 'nothing found'}; see aipower doctor")
    chosen: Device | None = None
    try:
        chosen = _choose([sensor.device for sensor in found.sensors], wanted)
    finally:
        for sensor in found.sensors:
            if sensor.device != chosen:
                sensor.close()
    return next(sensor for sensor in found.sensors if sensor.device == chosen)


def label(device: Device) -> str:
    """`gpu:0`: a short name that `--device` takes."""
    return f"{device.kind}:{device.index}"


def _choose(devices: Sequence[Device], wanted: str | None) -> Device:
    told = ", ".join(f"{label(device)} ({device.name}, {device.id})" for device in devices)
    if wanted is None:
        if len(devices) == 1:
            return devices[0]
        raise UsageError(f"which device? name one with --device: {told}")
    names = {wanted, f"gpu:{wanted}"}
    found = [device for device in devices if device.id == wanted or label(device) in names]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"--device {wanted} means several: {told}; give the id")
    raise UsageError(f"no device {wanted} here; there are: {told}")
