"""The sensor of one GPU."""

from __future__ import annotations

from typing import Any

from aipower.errors import SensorFailedError
from aipower.model import Device, DeviceFacts, Reading
from aipower.seams import Clock, SensorTraits
from aipower.sensors.nvml import fields
from aipower.sensors.nvml.driver import CallError, Driver

VOLTA = 5
"""NVML_DEVICE_ARCH_VOLTA of nvml.h; its sensors publish every 20 ms, all later ones every 100 ms (science of A2)."""
DEFAULT_MAX_POWER_W = 3000.0
"""Above the largest module known (GB300 tray: 2900 W)."""


class GpuSensor:
    """Reads energy and power of one GPU."""

    def __init__(self, driver: Driver, handle: Any, device: Device, plan: fields.Plan, clock: Clock) -> None:  # noqa: ANN401
        self.device = device
        self._driver = driver
        self._handle = handle
        self._plan = plan
        self._clock = clock
        self.facts = DeviceFacts(
            device.id,
            driver.text("nvmlSystemGetDriverVersion"),
            "counter" if plan.energy is not None else "integrated",
        )
        self.traits = SensorTraits(_update_period_s(driver, handle), None, _max_power_w(driver, handle))

    def read(self) -> Reading:
        """Energy and power now.

        Raises:
            SensorFailedError: Neither was to be had this time.
            SensorGoneError: The GPU or the driver has left.
        """
        before_s = self._clock.monotonic_s()
        answers = fields.read(self._driver, self._handle, self._plan)
        at_s = (before_s + self._clock.monotonic_s()) / 2
        energy_mj = _number(answers, self._plan.energy)
        power_mw = _number(answers, self._plan.power)
        if power_mw is not None and power_mw > self.traits.max_power_w * 1000:
            power_mw = None
        if energy_mj is None and power_mw is None:
            self._fail(answers)
        return Reading(
            at_s,
            None if energy_mj is None else energy_mj * 1000,
            None if power_mw is None else power_mw / 1000,
            self.facts.method,
        )

    def close(self) -> None:
        """Nothing of its own: the session belongs to all GPUs."""

    def _fail(self, answers: dict[int | str, fields.Answer]) -> None:
        for answer in answers.values():
            if isinstance(answer, CallError):
                raise answer.as_sensor_error() from answer
        raise SensorFailedError("read_failed", "no believable answer")


def _number(answers: dict[int | str, fields.Answer], source: int | str | None) -> int | None:
    answer = None if source is None else answers[source]
    return answer if isinstance(answer, int) else None


def _update_period_s(driver: Driver, handle: Any) -> float:  # noqa: ANN401 - an NVML handle
    return 0.02 if driver.number("nvmlDeviceGetArchitecture", handle) == VOLTA else 0.1


def _max_power_w(driver: Driver, handle: Any) -> float:  # noqa: ANN401 - an NVML handle
    """Twice the highest limit that can be set: short peaks pass the limit, nonsense passes it by far."""
    try:
        _, highest_mw = driver.call("nvmlDeviceGetPowerManagementLimitConstraints", handle)
    except CallError:
        return DEFAULT_MAX_POWER_W
    return 2 * highest_mw / 1000 if highest_mw > 0 else DEFAULT_MAX_POWER_W
