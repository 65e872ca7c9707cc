"""Asks the driver for per-process utilisation, in whichever of its ways it answers."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from aipower.sensors.nvml.codes import FUNCTION_NOT_FOUND, INSUFFICIENT_SIZE, NEVER, OK, CallError
from aipower.sensors.nvml.driver import TRIES, Driver

PLAIN, WIDE = "nvmlDeviceGetProcessUtilization", "nvmlDeviceGetProcessesUtilizationInfo"
ROWS = 256
"""Room for the direct call: more processes than share a GPU; INSUFFICIENT_SIZE names more."""


def ask(driver: Driver, handle: Any, seen_us: int) -> Sequence[Any]:  # noqa: ANN401 - an NVML handle
    """Rows (pid, timeStamp, smUtil) of the samples stamped after `seen_us`, in Unix microseconds.

    Raises:
        CallError: NOT_FOUND while nobody works; a code of NEVER where this GPU cannot say; else a failure.
    """
    try:
        return _plain(driver, handle, seen_us)
    except CallError as error:
        if error.code not in NEVER:
            raise
    return _wide(driver, handle, seen_us)


def _plain(driver: Driver, handle: Any, seen_us: int) -> Sequence[Any]:  # noqa: ANN401 - an NVML handle
    """By the old function; some drivers answer the sizing call with success, and pynvml raises code 0 (go-nvml#11)."""
    try:
        return driver.rows(PLAIN, handle, seen_us)
    except CallError as error:
        if error.code != OK:
            raise
        return _directly(driver, handle, seen_us)


def _wide(driver: Driver, handle: Any, seen_us: int) -> Sequence[Any]:  # noqa: ANN401 - an NVML handle
    """By the function of drivers since 550."""
    try:
        return driver.rows(WIDE, handle, seen_us)
    except CallError as error:
        if error.code != OK:
            raise
        return ()


def _directly(driver: Driver, handle: Any, seen_us: int) -> Sequence[Any]:  # noqa: ANN401 - an NVML handle
    """By the old function past pynvml's two steps, with room enough from the start."""
    try:
        function = driver.nvml.nvmlLib.nvmlDeviceGetProcessUtilization
        row_type = driver.nvml.c_nvmlProcessUtilizationSample_t
    except AttributeError as error:
        raise CallError(PLAIN, FUNCTION_NOT_FOUND, str(error)) from error
    count, code = ctypes.c_uint(ROWS), INSUFFICIENT_SIZE
    for _ in range(TRIES):
        rows = (row_type * count.value)()
        code = function(handle, rows, ctypes.byref(count), ctypes.c_ulonglong(seen_us))
        if code == OK:
            return tuple(rows[: count.value])
        if code != INSUFFICIENT_SIZE:
            break
    raise CallError(PLAIN, code, "failed")
