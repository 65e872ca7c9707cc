"""What the agent itself costs."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from pathlib import Path

from msgspec import Struct

from aipower.daemon.sampling.pace import Schedule
from aipower.model import AgentStats

SELF = Path("/proc/self")
RARELY_EACH = 10
"""What changes slowly is looked at once in so many times, as each look is a file or a folder of /proc."""
PAGE_BYTES = resource.getpagesize()
THREADS_FIELD, RESIDENT_FIELD = 17, 21
"""Places of num_threads and rss in /proc/PID/stat after the name, counted from 0: proc_pid_stat(5)."""


class _Slow(Struct, frozen=True):
    """What changes slowly."""

    resident_bytes: int = 0
    threads: int = 0
    open_descriptors: int = 0


class SelfStats:
    """Measures this process."""

    def __init__(self, folder: Path = SELF) -> None:
        self._folder = folder
        self._slow = _Slow()
        self._taken = 0
        self._started_unix_s = time.time()

    def take(self, schedule: Schedule, folded_series: int) -> AgentStats:
        """The figures now; memory, threads and descriptors are those of some seconds ago.

        They are those of before where the kernel does not tell them: no descriptor is left, for example.
        """
        if self._taken % RARELY_EACH == 0:
            with contextlib.suppress(OSError, ValueError, IndexError):
                self._slow = _look(self._folder)
        self._taken += 1
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return AgentStats(
            cpu_s=usage.ru_utime + usage.ru_stime,
            resident_bytes=self._slow.resident_bytes,
            ticks=schedule.ticks,
            tick_s=schedule.busy_s,
            late_s=schedule.late_s,
            missed_ticks=schedule.missed,
            folded_series=folded_series,
            started_unix_s=self._started_unix_s,
            open_descriptors=self._slow.open_descriptors,
            threads=self._slow.threads,
            context_switches=usage.ru_nvcsw + usage.ru_nivcsw,
        )


def _look(folder: Path) -> _Slow:
    fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
    # The folder itself is open while it is listed.
    descriptors = len(os.listdir(folder / "fd")) - 1  # noqa: PTH208 - a Path for each would cost ten times as much
    return _Slow(int(fields[RESIDENT_FIELD]) * PAGE_BYTES, int(fields[THREADS_FIELD]), descriptors)
