"""Finds the GPUs of this machine."""

from __future__ import annotations

from typing import Any

from aipower.errors import SensorUnavailableError
from aipower.model import Device, Unavailable
from aipower.seams import Clock, Sensor, SensorSet, SystemClock, UsageSource
from aipower.sensors.nvml import fields
from aipower.sensors.nvml.codes import NEVER, CallError
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.gpu import GpuSensor
from aipower.sensors.nvml.presence import SOURCE
from aipower.sensors.nvml.usage import GpuUsage, Resolve


def discover(nvml: Any, resolve: Resolve, clock: Clock | None = None) -> SensorSet:  # noqa: ANN401 - pynvml
    """A sensor and a source of usage for each GPU that can be read; the rest with reason and remedy.

    `nvml` is the module `pynvml`. Each GPU is tried by itself: one that fell off the bus does not hide the others.
    The session with the driver lasts until the last of the sensors is closed.
    """
    driver = Driver(nvml)
    try:
        driver.open()
        return _gpus(driver, resolve, clock or SystemClock())
    except SensorUnavailableError as error:
        return SensorSet(unavailable=[_missing(SOURCE, error)])
    finally:
        driver.release()


def _gpus(driver: Driver, resolve: Resolve, clock: Clock) -> SensorSet:
    sensors: list[Sensor] = []
    usage: dict[str, UsageSource] = {}
    missing: list[Unavailable] = []
    for index in range(_count(driver)):
        try:
            sensor, source = _gpu(driver, index, resolve, clock)
        except SensorUnavailableError as error:
            missing.append(_missing(f"GPU {index}", error))
            continue
        sensors.append(sensor)
        usage[sensor.device.id] = source
    return SensorSet(sensors, usage, missing)


def _count(driver: Driver) -> int:
    """How many GPUs there are, at least one.

    Raises:
        SensorUnavailableError: There is none, or the driver cannot say.
    """
    try:
        count = int(driver.call("nvmlDeviceGetCount"))
    except CallError as error:
        raise error.as_unavailable("no_count") from error
    if count == 0:
        remedy = "check `nvidia-smi -L` and `lspci`"
        raise SensorUnavailableError("no_gpu", "the NVIDIA driver sees no GPU", remedy)
    return count


def _gpu(driver: Driver, index: int, resolve: Resolve, clock: Clock) -> tuple[GpuSensor, GpuUsage]:
    """The sensor and the usage of GPU number `index`.

    Raises:
        SensorUnavailableError: It cannot be reached, or reports neither energy nor power.
    """
    try:
        handle = driver.call("nvmlDeviceGetHandleByIndex", index)
        uuid = _uuid(driver, handle, index)
        plan = fields.make_plan(driver, handle)
    except CallError as error:
        raise error.as_unavailable("no_answer") from error
    name = driver.text("nvmlDeviceGetName", handle) or "NVIDIA GPU"
    if plan.energy is None and plan.power is None:
        remedy = "such cards (and vGPUs) cannot be measured from here; measure on the host"
        raise SensorUnavailableError("no_power", f"{name} reports neither energy nor power", remedy)
    device = Device(uuid, "gpu", name, str(index))
    return GpuSensor(driver, handle, device, plan, clock), GpuUsage(driver, handle, resolve, clock)


def _uuid(driver: Driver, handle: Any, index: int) -> str:  # noqa: ANN401 - an NVML handle
    """The GPU's UUID; its index only where it has none, for an id must be the same after a restart.

    Raises:
        CallError: It has one, but does not say so now.
    """
    try:
        return driver.words("nvmlDeviceGetUUID", handle)
    except CallError as error:
        if error.code not in NEVER:
            raise
        return f"gpu-{index}"


def _missing(source: str, error: SensorUnavailableError) -> Unavailable:
    return Unavailable(source, "gpu", str(error), error.remedy)
