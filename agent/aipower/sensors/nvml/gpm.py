"""How busy each GPU instance of MIG is, from the performance monitor (GPM) of Hopper and newer."""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct

from aipower.sensors.nvml.codes import NOT_FOUND, NOT_SUPPORTED, OK, CallError
from aipower.sensors.nvml.driver import Driver

GRAPHICS, SM, TENSOR, DRAM = 1, 2, 5, 10
"""NVML_GPM_METRIC_GRAPHICS_UTIL, _SM_UTIL, _ANY_TENSOR_UTIL and _DRAM_BW_UTIL of nvml.h, in percent."""
METRICS = (GRAPHICS, SM, TENSOR, DRAM)
VERSION = 1
"""NVML_GPM_METRICS_GET_VERSION of nvml.h."""
FULL = 100


class Activity(Struct, frozen=True):
    """How busy an instance was between two samples, each from 0 to 1 of the instance itself."""

    graphics: float = 0.0
    sm: float = 0.0
    tensor: float = 0.0
    dram: float = 0.0

    @property
    def busy(self) -> float:
        """The activity of the SMs, or of the whole engine where the SMs do not show any."""
        return self.sm or self.graphics


class Instance(Struct, frozen=True):
    """A GPU instance, and its part of the GPU from 0 to 1."""

    id: int
    part: float


def instances(driver: Driver, handle: Any) -> list[Instance]:  # noqa: ANN401 - an NVML handle
    """The GPU instances that are there now; empty without MIG. Several compute instances in one are one.

    Raises:
        CallError: The driver does not say.
    """
    found: dict[int, Instance] = {}
    slots = int(driver.call("nvmlDeviceGetMaxMigDeviceCount", handle))
    for index in range(slots):
        try:
            mig = driver.call("nvmlDeviceGetMigDeviceHandleByIndex", handle, index)
            id_ = int(driver.call("nvmlDeviceGetGpuInstanceId", mig))
            slices = int(driver.call("nvmlDeviceGetAttributes_v2", mig).gpuInstanceSliceCount)
        except CallError as error:
            if error.code != NOT_FOUND:
                raise
            continue
        found[id_] = Instance(id_, slices / slots)
    return list(found.values())


def watches_mig(driver: Driver, handle: Any) -> bool:  # noqa: ANN401 - an NVML handle
    """True where MIG is on and the monitor can tell its instances apart."""
    try:
        current, _ = driver.call("nvmlDeviceGetMigMode", handle)
        return bool(current) and bool(driver.call("nvmlGpmQueryDeviceSupport", handle).isSupportedDevice)
    except CallError:
        return False


class Monitor:
    """Compares the monitor's samples of one instance. Its two buffers live as long as the session with the driver."""

    def __init__(self, driver: Driver, handle: Any, instance: int) -> None:  # noqa: ANN401 - an NVML handle
        """A first sample of `instance`.

        Raises:
            CallError: There are no samples to be had: the GPU is older than Hopper, or the instance has gone.
        """
        self._driver = driver
        self._handle = handle
        self._instance = instance
        self._last = driver.call("nvmlGpmSampleAlloc")
        self._next = driver.call("nvmlGpmSampleAlloc")
        self._take(self._last)

    def activity(self) -> Activity:
        """How busy the instance was since the last call, or since the monitor was made: at least 0.1 s.

        Raises:
            CallError: As at the start.
        """
        self._take(self._next)
        get = self._question()
        self._driver.call("nvmlGpmMetricsGet", get)
        self._last, self._next = self._next, self._last
        return Activity(*(_share(get.metrics[index]) for index in range(len(METRICS))))

    def close(self) -> None:
        """Free the buffers, which a lost driver has freed already."""
        for sample in (self._last, self._next):
            try:
                self._driver.call("nvmlGpmSampleFree", sample)
            except CallError:
                return

    def _take(self, sample: Any) -> None:  # noqa: ANN401 - an NVML handle
        self._driver.call("nvmlGpmMigSampleGet", self._handle, self._instance, sample)

    def _question(self) -> Any:  # noqa: ANN401 - a ctypes structure
        try:
            get = self._driver.nvml.c_nvmlGpmMetricsGet_t()
        except AttributeError as error:
            raise CallError("nvmlGpmMetricsGet", NOT_SUPPORTED, str(error)) from error
        get.version, get.numMetrics, get.sample1, get.sample2 = VERSION, len(METRICS), self._last, self._next
        for index, metric in enumerate(METRICS):
            get.metrics[index].metricId = metric
        return get


def _share(metric: Any) -> float:  # noqa: ANN401 - a ctypes structure
    """From 0 to 1; 0 where this metric is not to be had or is no number."""
    value = float(metric.value)
    if metric.nvmlReturn != OK or not math.isfinite(value):
        return 0.0
    return min(max(value / FULL, 0.0), 1.0)
