"""The sensor of one GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aipower.errors import SensorFailedError
from aipower.model import Device, DeviceFacts, Reading
from aipower.seams import Clock, SensorTraits
from aipower.sensors.nvml import fields
from aipower.sensors.nvml.codes import GONE, CallError
from aipower.sensors.nvml.driver import Driver

FAST = frozenset({4, 5})
"""NVML_DEVICE_ARCH_PASCAL and _VOLTA of nvml.h: their sensors publish every 20 ms, later ones every 100 ms."""
FAST_PERIOD_S, PERIOD_S = 0.02, 0.1
"""Measured by Yang, Adamek and Armour (SC'24)."""
DEFAULT_MAX_POWER_W = 3000.0
"""Above the largest module known (GB300 tray: 2900 W)."""


class GpuSensor:
    """Reads energy and power of one GPU. It keeps the session with the driver open until it is closed."""

    def __init__(
        self,
        driver: Driver,
        handle: Any,  # noqa: ANN401 - an NVML handle
        device: Device,
        plan: fields.Plan,
        clock: Clock,
    ) -> None:
        self.device = device
        self._driver = driver
        self._handle = handle
        self._plan = plan
        self._clock = clock
        version = driver.text("nvmlSystemGetDriverVersion")
        self.facts = DeviceFacts(device.id, version, "integrated" if plan.energy is None else "counter")
        self.traits = SensorTraits(_update_period_s(driver, handle), None, _max_power_w(driver, handle))
        driver.retain()
        self._closed = False

    def read(self) -> Reading:
        """Energy and power now, each None where it was not to be had this time.

        Raises:
            SensorFailedError: Neither was to be had, or power was the only one and cannot be true.
            SensorGoneError: The GPU or the driver has left.
        """
        before_s = self._clock.monotonic_s()
        answers = fields.read(self._driver, self._handle, self._plan)
        at_s = (before_s + self._clock.monotonic_s()) / 2
        energy_mj, power_mw = _number(answers, self._plan.energy), _number(answers, self._plan.power)
        _check(answers, needed=energy_mj is None and power_mw is None)
        power_w = None if power_mw is None else power_mw / 1000
        if power_w is not None and power_w > self.traits.max_power_w:
            if energy_mj is None:
                raise SensorFailedError("implausible", f"{power_w:.0f} W is more than it can draw")
            power_w = None
        if energy_mj is None:
            return Reading(at_s, None, power_w, "integrated")
        return Reading(at_s, energy_mj * 1000, power_w)

    def close(self) -> None:
        """Let go of the session, which ends with its last sensor. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._driver.release()


def _check(answers: Mapping[fields.Source, fields.Answer], *, needed: bool) -> None:
    """Raise what a failed answer means: always if it says that the GPU is gone, else if answers were `needed`."""
    errors = [answer for answer in answers.values() if isinstance(answer, CallError)]
    for error in errors:
        if error.code in GONE:
            raise error.as_sensor_error() from error
    if needed:
        raise errors[0].as_sensor_error() from errors[0]


def _number(answers: Mapping[fields.Source, fields.Answer], source: fields.Source | None) -> int | None:
    answer = None if source is None else answers[source]
    return answer if isinstance(answer, int) else None


def _update_period_s(driver: Driver, handle: Any) -> float:  # noqa: ANN401 - an NVML handle
    return FAST_PERIOD_S if driver.number("nvmlDeviceGetArchitecture", handle) in FAST else PERIOD_S


def _max_power_w(driver: Driver, handle: Any) -> float:  # noqa: ANN401 - an NVML handle
    """Twice the highest limit that can be set: short peaks pass the limit, nonsense passes it by far."""
    try:
        _, highest_mw = driver.call("nvmlDeviceGetPowerManagementLimitConstraints", handle)
        highest_w = int(highest_mw) / 1000
    except (CallError, TypeError, ValueError):
        return DEFAULT_MAX_POWER_W
    return 2 * highest_w if 0 < highest_w <= DEFAULT_MAX_POWER_W else DEFAULT_MAX_POWER_W
