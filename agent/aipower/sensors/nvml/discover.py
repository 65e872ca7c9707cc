"""Finds the GPUs of this machine."""

from __future__ import annotations

from typing import Any

from aipower.errors import SensorUnavailableError
from aipower.model import Device, Unavailable
from aipower.seams import Clock, Sensor, SensorSet, SystemClock, UsageSource
from aipower.sensors.nvml import fields
from aipower.sensors.nvml.driver import CallError, Driver
from aipower.sensors.nvml.gpu import GpuSensor
from aipower.sensors.nvml.usage import GpuUsage, Resolve

SOURCE = "GPU (NVML)"


def discover(nvml: Any, resolve: Resolve, clock: Clock | None = None) -> SensorSet:  # noqa: ANN401 - pynvml
    """A sensor and a source of usage for each GPU that can be read; the rest with reason and remedy.

    `nvml` is the module `pynvml`. Each GPU is tried by itself: one that fell off the bus does not hide the others.
    """
    clock = clock or SystemClock()
    driver = Driver(nvml)
    try:
        driver.open()
        count = int(driver.call("nvmlDeviceGetCount"))
    except SensorUnavailableError as error:
        return SensorSet(unavailable=[Unavailable(SOURCE, "gpu", str(error), error.remedy)])
    except CallError as error:
        driver.close()
        return SensorSet(unavailable=[Unavailable(SOURCE, "gpu", str(error), "see what `nvidia-smi` says")])
    sensors: list[Sensor] = []
    usage: dict[str, UsageSource] = {}
    missing: list[Unavailable] = []
    for index in range(count):
        try:
            sensor, source = _gpu(driver, index, resolve, clock)
        except SensorUnavailableError as error:
            missing.append(Unavailable(f"GPU {index}", "gpu", str(error), error.remedy))
            continue
        sensors.append(sensor)
        usage[sensor.device.id] = source
    if count == 0:
        missing.append(Unavailable(SOURCE, "gpu", "the driver sees no GPU", "check `nvidia-smi -L` and `lspci`"))
    return SensorSet(sensors, usage, missing)


def _gpu(driver: Driver, index: int, resolve: Resolve, clock: Clock) -> tuple[GpuSensor, GpuUsage]:
    """The sensor and the usage of GPU number `index`.

    Raises:
        SensorUnavailableError: It cannot be reached, or reports neither energy nor power.
    """
    try:
        handle = driver.call("nvmlDeviceGetHandleByIndex", index)
    except CallError as error:
        raise SensorUnavailableError("no_handle", str(error), "see `nvidia-smi` and `dmesg | grep NVRM`") from error
    uuid = driver.text("nvmlDeviceGetUUID", handle) or f"gpu-{index}"
    name = driver.text("nvmlDeviceGetName", handle) or "NVIDIA GPU"
    plan = fields.make_plan(driver, handle)
    if plan.energy is None and plan.power is None:
        raise SensorUnavailableError(
            "no_power", f"{name} reports neither energy nor power", "such cards (and vGPUs) cannot be measured"
        )
    device = Device(uuid, "gpu", name, str(index))
    return GpuSensor(driver, handle, device, plan, clock), GpuUsage(driver, handle, resolve, clock)
