"""What the agent itself costs."""

from __future__ import annotations

import contextlib
import resource

import psutil

from aipower.daemon.pace import Schedule
from aipower.model import AgentStats

MEMORY_EACH = 10
"""Looks at the memory come once in so many: it changes slowly, and a look is a file of /proc."""


class SelfStats:
    """Measures this process."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._resident_bytes = 0
        self._taken = 0

    def take(self, schedule: Schedule, folded_series: int) -> AgentStats:
        """The figures now; the memory is that of some seconds ago, or of before where the kernel does not tell."""
        if self._taken % MEMORY_EACH == 0:
            with contextlib.suppress(psutil.Error, OSError):  # no file descriptor left, for example
                self._resident_bytes = self._process.memory_info().rss
        self._taken += 1
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return AgentStats(
            usage.ru_utime + usage.ru_stime,
            self._resident_bytes,
            schedule.ticks,
            schedule.busy_s,
            schedule.late_s,
            schedule.missed,
            folded_series,
        )
