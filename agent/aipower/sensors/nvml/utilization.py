"""Asks the driver for per-process utilisation, in whichever of its ways it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aipower.sensors.nvml.codes import FUNCTION_NOT_FOUND, NEVER, OK, CallError
from aipower.sensors.nvml.direct import Sample, SampleTable
from aipower.sensors.nvml.driver import Driver

PLAIN, WIDE = "nvmlDeviceGetProcessUtilization", "nvmlDeviceGetProcessesUtilizationInfo"


class Question:
    """Asks one GPU, again and again. To be used by one thread at a time."""

    def __init__(self, driver: Driver, handle: Any) -> None:  # noqa: ANN401 - an NVML handle
        self._driver = driver
        self._handle = handle
        self._table = SampleTable(driver, handle)

    def ask(self, seen_us: int) -> list[Sample]:
        """The samples stamped after `seen_us`, in Unix microseconds.

        Raises:
            CallError: NOT_FOUND while nobody works; a code of NEVER where this GPU cannot say; else a failure.
        """
        try:
            return self._plain(seen_us)
        except CallError as error:
            if error.code not in NEVER:
                raise
        return self._wide(seen_us)

    def _plain(self, seen_us: int) -> list[Sample]:
        """By the old function. pynvml asks for the size first: some drivers answer that with success (go-nvml#11)."""
        if self._table.there:
            return self._table.read(seen_us)
        try:
            return _samples(self._driver.rows(PLAIN, self._handle, seen_us))
        except CallError as error:
            if error.code != OK:
                raise
            # Without the driver's library there is no way past pynvml's two steps.
            raise CallError(PLAIN, FUNCTION_NOT_FOUND, str(error)) from error

    def _wide(self, seen_us: int) -> list[Sample]:
        """By the function since 550; where a driver answers the sizing call with success, pynvml raises code 0."""
        try:
            return _samples(self._driver.rows(WIDE, self._handle, seen_us))
        except CallError as error:
            if error.code != OK:
                raise
            return []


def _samples(rows: Sequence[Any]) -> list[Sample]:
    """What pynvml has answered."""
    return [(int(row.pid), int(row.timeStamp), int(row.smUtil)) for row in rows]


def ask(driver: Driver, handle: Any, seen_us: int) -> list[Sample]:  # noqa: ANN401 - an NVML handle
    """What `Question.ask` answers, and raises, once."""
    return Question(driver, handle).ask(seen_us)
