"""Under which conditions a GPU works: its power limit, P-state and clocks."""

from __future__ import annotations

from typing import Any

from aipower.model import Conditions
from aipower.sensors.nvml.codes import GONE, CallError
from aipower.sensors.nvml.driver import Driver

SM_CLOCK, MEMORY_CLOCK = 1, 2
"""nvmlClockType_t of nvml.h."""
UNKNOWN_STATE = 32
"""NVML_PSTATE_UNKNOWN of nvml.h; 0 to 15 are states."""
HZ_PER_MHZ = 1_000_000


def read_conditions(driver: Driver, handle: Any) -> Conditions:  # noqa: ANN401 - an NVML handle
    """The conditions now, from four calls; each None where it was not to be had.

    Raises:
        SensorGoneError: The GPU or the driver has left.
    """
    limit_mw = _ask(driver, "nvmlDeviceGetEnforcedPowerLimit", handle)
    state = _ask(driver, "nvmlDeviceGetPerformanceState", handle)
    return Conditions(
        limit_mw / 1000 if limit_mw else None,
        state if state is not None and 0 <= state < UNKNOWN_STATE else None,
        _clock_hz(driver, handle, SM_CLOCK),
        _clock_hz(driver, handle, MEMORY_CLOCK),
    )


def _clock_hz(driver: Driver, handle: Any, kind: int) -> float | None:  # noqa: ANN401 - an NVML handle
    mhz = _ask(driver, "nvmlDeviceGetClockInfo", handle, kind)
    return None if mhz is None else float(mhz * HZ_PER_MHZ)


def _ask(driver: Driver, function: str, *arguments: Any) -> int | None:  # noqa: ANN401 - as pynvml
    """A number that `function` answers, None where it fails or is nonsense."""
    try:
        number = int(driver.call(function, *arguments))
    except CallError as error:
        if error.code in GONE:
            raise error.as_sensor_error() from error
        return None
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < 2**32 - 1 else None
