"""Per-process utilisation, every sample once.

The driver keeps the samples of the last ten seconds. One reply has a row per process with that process's own latest
stamp and its share of all samples since the stamp that was asked for (science of A5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aipower.seams import Clock
from aipower.sensors.nvml.driver import FUNCTION_NOT_FOUND, INSUFFICIENT_SIZE, NEVER, NOT_FOUND, CallError, Driver

ROWS = 1024
"""Room for the direct call; INSUFFICIENT_SIZE asks for more."""
FUTURE_S = 2.0
"""A stamp further ahead of the clock is garbage and must not move the cursor."""
OK = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One process's share of the samples, from 0 to 1, and the wall time of its latest."""

    pid: int
    at_unix_s: float
    share: float


class UtilizationSampler:
    """Reads the samples of one GPU that are newer than those already read."""

    def __init__(self, driver: Driver, handle: Any, clock: Clock) -> None:  # noqa: ANN401 - an NVML handle
        self._driver = driver
        self._handle = handle
        self._clock = clock
        self._seen_us = 0
        self._latest_us: dict[int, int] = {}
        self.supported = True

    def new_rows(self) -> list[Row]:
        """The news; empty while nobody works.

        Raises:
            CallError: The driver failed this time.
        """
        if not self.supported:
            return []
        try:
            raw = self._ask()
        except CallError as error:
            if error.code == NOT_FOUND:
                return []
            if error.code not in NEVER:
                raise
            self.supported = False
            return []
        return self._accept(raw)

    def _ask(self) -> Sequence[Any]:
        try:
            return self._rows("nvmlDeviceGetProcessUtilization")
        except CallError as error:
            if error.code not in NEVER:
                raise
        return self._rows("nvmlDeviceGetProcessesUtilizationInfo")

    def _rows(self, function: str) -> Sequence[Any]:
        try:
            rows: Sequence[Any] = self._driver.call(function, self._handle, self._seen_us)
        except CallError as error:
            if error.code != OK:
                raise
            return self._rows_directly() if function == "nvmlDeviceGetProcessUtilization" else []
        return rows

    def _rows_directly(self) -> Sequence[Any]:
        """For drivers whose sizing call answers success: pynvml then raises an error of code 0 (go-nvml#11)."""
        import ctypes  # noqa: PLC0415 - needed by few drivers, and slow to load

        nvml = self._driver.nvml
        function = getattr(nvml.nvmlLib, "nvmlDeviceGetProcessUtilization", None)
        if function is None:
            raise CallError("nvmlDeviceGetProcessUtilization", FUNCTION_NOT_FOUND, "missing in the driver")
        count = ctypes.c_uint(ROWS)
        code, rows = INSUFFICIENT_SIZE, ()
        for _ in range(3):
            rows = (nvml.c_nvmlProcessUtilizationSample_t * count.value)()
            code = function(self._handle, rows, ctypes.byref(count), ctypes.c_ulonglong(self._seen_us))
            if code != INSUFFICIENT_SIZE:
                break
        if code != OK:
            raise CallError("nvmlDeviceGetProcessUtilization", code, "failed")
        return rows[: count.value]

    def _accept(self, raw: Sequence[Any]) -> list[Row]:
        """Rows that are possible and new. Utilisation above 100 and rows of zeros occur with zombies (nvtop#110)."""
        limit_us = int((self._clock.unix_s() + FUTURE_S) * 1e6)
        rows: list[Row] = []
        for row in raw:
            stamp_us = int(row.timeStamp)
            if not 0 < row.smUtil <= 100 or stamp_us > limit_us or stamp_us <= self._latest_us.get(row.pid, 0):  # noqa: PLR2004 - percent
                continue
            self._latest_us[row.pid] = stamp_us
            rows.append(Row(int(row.pid), stamp_us / 1e6, row.smUtil / 100))
        if rows:
            self._seen_us = max(self._seen_us, *self._latest_us.values())
            self._forget()
        return rows

    def _forget(self) -> None:
        """Drop pids whose samples the cursor has passed by more than the ring holds."""
        horizon_us = self._seen_us - 60_000_000
        self._latest_us = {pid: stamp for pid, stamp in self._latest_us.items() if stamp > horizon_us}
