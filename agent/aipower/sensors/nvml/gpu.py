"""The sensor of one GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aipower.errors import SensorFailedError, SensorGoneError
from aipower.model import Conditions, Device, DeviceFacts, Reading
from aipower.seams import Clock, SensorTraits
from aipower.sensors.nvml import fields
from aipower.sensors.nvml.codes import GONE, SESSION_OVER, CallError
from aipower.sensors.nvml.conditions import read_conditions
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.models import card_of, model_of

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
        self._reader = fields.Reader(driver, handle, plan)
        self._clock = clock
        card = card_of(driver, handle, device.name, has_average=plan.has_average)
        self.facts = DeviceFacts(device.id, card.driver, "integrated" if plan.energy is None else "counter")
        model = model_of(card, plan.power)
        self.traits = SensorTraits(
            model.counter_period_s,
            None,
            _max_power_w(driver, handle),
            model.power_period_s,
            model.power_window_s,
        )
        driver.retain()
        self._closed = False

    def read(self) -> Reading:
        """Energy and power now, each None where it was not to be had this time.

        Raises:
            SensorFailedError: Neither was to be had, or power was the only one and cannot be true.
            SensorGoneError: The GPU or the driver has left. Where it is the driver, the sensor has closed itself.
        """
        if self._closed:
            raise SensorGoneError("gone", "its session with the driver has ended")
        before_s = self._clock.monotonic_s()
        answers = self._reader.read()
        at_s = (before_s + self._clock.monotonic_s()) / 2
        energy_mj, power_mw = _number(answers, self._plan.energy), _number(answers, self._plan.power)
        self._check(answers, needed=energy_mj is None and power_mw is None)
        if energy_mj is None and power_mw is not None and self._believed_w(power_mw) is None:
            raise SensorFailedError("implausible", f"{power_mw / 1000:.0f} W is more than it can draw")
        return Reading(
            at_s,
            None if energy_mj is None else energy_mj * 1000,
            self._believed_w(power_mw),
            "integrated" if energy_mj is None else "counter",
            self._believed_w(_number(answers, self._plan.average)),
        )

    def conditions(self) -> Conditions:
        """Power limit, P-state and clocks now, each None where it was not to be had.

        Raises:
            SensorGoneError: The GPU or the driver has left.
        """
        return read_conditions(self._driver, self._handle)

    def close(self) -> None:
        """Let go of the session, which ends with its last sensor. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._driver.release()

    def _check(self, answers: Mapping[fields.Source, fields.Answer], *, needed: bool) -> None:
        """Raise what a failed answer means: always if it says that the GPU is gone, else if answers were `needed`."""
        errors = [answer for answer in answers.values() if isinstance(answer, CallError)]
        for error in errors:
            if error.code in SESSION_OVER:
                self.close()  # a session that is over stands in the way of the next one
            if error.code in GONE:
                raise error.as_sensor_error() from error
        if needed:
            raise errors[0].as_sensor_error() from errors[0]

    def _believed_w(self, power_mw: int | None) -> float | None:
        """The power in watts, None where there is none or more than the card can draw."""
        if power_mw is None or power_mw / 1000 > self.traits.max_power_w:
            return None
        return power_mw / 1000


def _number(answers: Mapping[fields.Source, fields.Answer], source: fields.Source | None) -> int | None:
    answer = None if source is None else answers[source]
    return answer if isinstance(answer, int) else None


def _max_power_w(driver: Driver, handle: Any) -> float:  # noqa: ANN401 - an NVML handle
    """Twice the highest limit that can be set: short peaks pass the limit, nonsense passes it by far."""
    try:
        _, highest_mw = driver.call("nvmlDeviceGetPowerManagementLimitConstraints", handle)
        highest_w = int(highest_mw) / 1000
    except (CallError, TypeError, ValueError):
        return DEFAULT_MAX_POWER_W
    return 2 * highest_w if 0 < highest_w <= DEFAULT_MAX_POWER_W else DEFAULT_MAX_POWER_W
