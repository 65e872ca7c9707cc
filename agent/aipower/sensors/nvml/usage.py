"""Who holds a context on a GPU, and who worked on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aipower.model import ProcessId, Usage
from aipower.seams import Clock
from aipower.sensors.nvml.driver import INSUFFICIENT_SIZE, NEVER, CallError, Driver
from aipower.sensors.nvml.sampler import UtilizationSampler

SAMPLES_PER_S = 6.0
"""The driver looks at the engines about six times a second (science of A5)."""
COMPUTE_LISTS = (
    ("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"),
    ("nvmlDeviceGetMPSComputeRunningProcesses_v3", "nvmlDeviceGetMPSComputeRunningProcesses_v2"),
)
"""Each with its fall-back for drivers before 510. Graphics contexts do not raise idle power as compute ones do."""
TRIES = 3
"""The list may grow between the sizing call and the call."""

Resolve = Callable[[int, float | None], ProcessId | None]
"""The process of a pid, as of a wall-clock time where that is known."""


class GpuUsage:
    """The source of usage of one GPU."""

    def __init__(self, driver: Driver, handle: Any, resolve: Resolve, clock: Clock) -> None:  # noqa: ANN401
        self._driver = driver
        self._handle = handle
        self._resolve = resolve
        self._clock = clock
        self._sampler = UtilizationSampler(driver, handle, clock)
        self._since_s = clock.monotonic_s()

    def collect(self) -> Usage:
        """Busy seconds and context holders since the last call.

        Raises:
            SensorFailedError: The driver failed this time.
            SensorGoneError: The GPU or the driver has left.
        """
        try:
            rows = self._sampler.new_rows()
            pids = self._context_pids()
        except CallError as error:
            raise error.as_sensor_error() from error
        since_s, self._since_s = self._since_s, self._clock.monotonic_s()
        span_s = max(self._since_s - since_s, 1e-6)
        busy_s: dict[ProcessId, float] = {}
        unknown_busy_s = 0.0
        for row in rows:
            process = self._resolve(row.pid, row.at_unix_s)
            if process is None:
                unknown_busy_s += row.share * span_s
            else:
                busy_s[process] = busy_s.get(process, 0.0) + row.share * span_s
        holders = {self._resolve(pid, None) for pid in pids}
        unknown = sum(self._resolve(pid, None) is None for pid in pids)
        return Usage(
            since_s,
            self._since_s,
            busy_s,
            unknown_busy_s,
            frozenset(holder for holder in holders if holder is not None),
            unknown,
            sampled=self._sampler.supported,
            samples=SAMPLES_PER_S * span_s,
        )

    def _context_pids(self) -> set[int]:
        """Each pid once, though it may stand in several lists."""
        return {int(row.pid) for functions in COMPUTE_LISTS for row in self._list(functions)}

    def _list(self, functions: tuple[str, str]) -> list[Any]:
        for function in functions:
            for attempt in range(TRIES):
                try:
                    return list(self._driver.call(function, self._handle))
                except CallError as error:
                    if error.code in NEVER:
                        break
                    if error.code != INSUFFICIENT_SIZE or attempt == TRIES - 1:
                        raise
        return []
