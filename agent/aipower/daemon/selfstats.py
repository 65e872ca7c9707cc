"""What the agent itself costs."""

from __future__ import annotations

import contextlib
import resource

import psutil

from aipower.daemon.pace import Schedule
from aipower.model import AgentStats


class SelfStats:
    """Measures this process."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._resident_bytes = 0

    def take(self, schedule: Schedule, folded_series: int) -> AgentStats:
        """The figures now; the memory is that of before where the kernel does not tell."""
        with contextlib.suppress(psutil.Error, OSError):  # no file descriptor left, for example
            self._resident_bytes = self._process.memory_info().rss
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
