"""Finds the GPUs of this machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
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

Opened = tuple[GpuSensor, GpuUsage] | None
"""A GPU's sensor and usage; None where it is known already."""
Opener = Callable[[Mapping[str, Callable[[], Opened]]], Mapping[str, Opened | Exception]]
"""Takes the steps that open each GPU, by name; what each has returned or raised."""


def one_by_one(steps: Mapping[str, Callable[[], Opened]]) -> dict[str, Opened | Exception]:
    """The opener for whoever can wait: all on this thread, however long one takes."""
    return {name: _tried(step) for name, step in steps.items()}


def discover(
    nvml: Any,  # noqa: ANN401 - pynvml
    resolve: Resolve,
    clock: Clock | None = None,
    *,
    known: Collection[str] = (),
    opener: Opener = one_by_one,
) -> SensorSet:
    """A sensor and a source of usage for each GPU that can be read; the rest with reason and remedy.

    `nvml` is the module `pynvml`. Each GPU is tried by itself: one that fell off the bus does not hide the others, nor
    does one that hangs if `opener` has a patience (`Openings.run`). GPUs whose UUID is `known` are left out.
    The session with the driver lasts until the last of the sensors is closed.
    """
    driver = Driver(nvml)
    try:
        driver.open()
        return _gpus(driver, resolve, clock or SystemClock(), known, opener)
    except SensorUnavailableError as error:
        return SensorSet(unavailable=[_missing(SOURCE, error)])
    finally:
        driver.release()


def _gpus(driver: Driver, resolve: Resolve, clock: Clock, known: Collection[str], opener: Opener) -> SensorSet:
    sensors: list[Sensor] = []
    usage: dict[str, UsageSource] = {}
    missing: list[Unavailable] = []
    steps = {f"GPU {index}": partial(_gpu, driver, index, resolve, clock, known) for index in range(_count(driver))}
    for name, opened in opener(steps).items():
        if isinstance(opened, SensorUnavailableError):
            missing.append(_missing(name, opened))
        elif isinstance(opened, Exception):
            raise opened
        elif opened is not None:
            _add(*opened, sensors, usage)
    return SensorSet(sensors, usage, missing)


def _add(sensor: GpuSensor, source: GpuUsage, sensors: list[Sensor], usage: dict[str, UsageSource]) -> None:
    """Take in a GPU, unless it is there: one that was opened late may stand under another index by now."""
    if sensor.device.id in usage:
        sensor.close()
        return
    sensors.append(sensor)
    usage[sensor.device.id] = source


def _tried(step: Callable[[], Opened]) -> Opened | Exception:
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - it is handed to whoever asked for the step
        return error


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


def _gpu(driver: Driver, index: int, resolve: Resolve, clock: Clock, known: Collection[str]) -> Opened:
    """The sensor and the usage of GPU number `index`; None if it is `known`.

    Raises:
        SensorUnavailableError: It cannot be reached, or reports neither energy nor power.
    """
    # It may take longer than anybody waits: the session must not end meanwhile.
    with driver.held():
        return _opened(driver, index, resolve, clock, known)


def _opened(driver: Driver, index: int, resolve: Resolve, clock: Clock, known: Collection[str]) -> Opened:
    try:
        handle = driver.call("nvmlDeviceGetHandleByIndex", index)
        uuid = _uuid(driver, handle, index)
        if uuid in known:
            return None
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
