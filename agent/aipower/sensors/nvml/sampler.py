"""Who worked on a GPU, every sample once.

The driver keeps the samples of the last ten seconds. One reply has a row per process with that process's own latest
stamp and its share of all samples since the stamp that was asked for (science of A5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aipower.seams import Clock
from aipower.sensors.nvml.codes import NEVER, NOT_FOUND, CallError
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.utilization import ask

SAMPLES_PER_S = 6
"""The driver looks at the engines about six times a second (science of A5)."""
RING_S = 10.0
"""How far its samples reach back (ctrl2080gpumon.h of the open kernel modules)."""
PERIOD_US = 1_000_000 // SAMPLES_PER_S
FUTURE_US = 2_000_000
"""A stamp further ahead of the clock is garbage and must not move the cursor."""
LAG_US = 2_000_000
"""Samples may show up this late. While nobody works the cursor follows the clock at this distance: a cursor left
behind would dilute the next work into the idle time before it, and whole percents would round short work away."""
STEP_S = 0.5
"""More than clocks are slewed between two windows: the clock was set, or the machine slept."""
FULL = 100
"""Percent. More occurs with zombies, as do rows of zeros (nvtop#110)."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one process did: seconds of the engines' time, and the wall time of its latest sample."""

    pid: int
    at_unix_s: float
    busy_s: float


class UtilizationSampler:
    """Reads the samples of one GPU that are newer than its last answer, at first newer than itself."""

    def __init__(self, driver: Driver, handle: Any, clock: Clock) -> None:  # noqa: ANN401 - an NVML handle
        self._driver = driver
        self._handle = handle
        self._clock = clock
        self._offset_s = clock.unix_s() - clock.monotonic_s()
        self._seen_us = self._now_us()
        self.supported = True
        """False while the GPU cannot say who works (MIG, vGPU, old drivers)."""

    def new_work(self) -> list[Work]:
        """The news; empty while nobody works.

        Raises:
            CallError: The driver failed this time.
        """
        self._follow_the_clock()
        now_us = self._now_us()
        rows = [row for row in self._rows() if self._believable(row, now_us)]
        latest_us = max((int(row.timeStamp) for row in rows), default=self._seen_us)
        covered_s = self._covered_s(latest_us, now_us)
        self._seen_us = max(latest_us, now_us - LAG_US)
        return [Work(int(row.pid), row.timeStamp / 1e6, covered_s * row.smUtil / FULL) for row in rows]

    def skip(self) -> None:
        """Leave out all samples until now."""
        self._follow_the_clock()
        self._seen_us = self._now_us()

    def _rows(self) -> Sequence[Any]:
        try:
            rows = ask(self._driver, self._handle, self._seen_us)
        except CallError as error:
            if error.code != NOT_FOUND and error.code not in NEVER:
                raise
            self.supported = error.code == NOT_FOUND
            return ()
        self.supported = True
        return rows

    def _believable(self, row: Any, now_us: int) -> bool:  # noqa: ANN401 - a ctypes structure
        """True for a row that is possible and new."""
        percent, stamp_us = int(row.smUtil), int(row.timeStamp)
        return 0 < percent <= FULL and self._seen_us < stamp_us <= now_us + FUTURE_US

    def _covered_s(self, latest_us: int, now_us: int) -> float:
        """The time of the samples that a row is a share of: up to the last one, which may name nobody."""
        nameless_us = max(now_us - latest_us, 0) // PERIOD_US * PERIOD_US
        return (latest_us + nameless_us - self._seen_us) / 1e6

    def _follow_the_clock(self) -> None:
        """Move the cursor with the wall clock where that was set: the driver stamps by it."""
        offset_s = self._clock.unix_s() - self._clock.monotonic_s()
        step_s = offset_s - self._offset_s
        self._offset_s = offset_s
        if abs(step_s) > STEP_S:
            self._seen_us = max(self._seen_us + round(step_s * 1e6), 0)

    def _now_us(self) -> int:
        return round(self._clock.unix_s() * 1e6)
