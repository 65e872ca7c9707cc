"""What a process has used, from /proc."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

CPUCLOCK_SCHED = 2
"""Of <linux/posix-timers.h>."""


@dataclass(frozen=True, slots=True)
class Reading:
    """CPU time until a moment."""

    at_s: float
    sampling_s: float
    """Of the thread that reads the sensors and keeps the accounts."""
    other_s: float
    """Of all others: those that answer are among them."""

    def since(self, before: Reading) -> Shares:
        """Cores in use since an earlier reading."""
        span_s = self.at_s - before.at_s
        return Shares((self.sampling_s - before.sampling_s) / span_s, (self.other_s - before.other_s) / span_s)


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of one core."""

    sampling: float
    other: float

    @property
    def all(self) -> float:
        """Of the whole process."""
        return self.sampling + self.other


def read(pid: int, sampler: int) -> Reading:
    """A process and one of its threads, to the nanosecond: /proc/PID/stat counts whole ticks of 10 ms."""
    sampling_s = int(Path(f"/proc/{pid}/task/{sampler}/schedstat").read_text().split()[0]) / 1e9
    return Reading(time.monotonic(), sampling_s, time.clock_gettime(_clock_of(pid)) - sampling_s)


def _clock_of(pid: int) -> int:
    """The clock of all CPU time of a process, as clock_getcpuclockid(3) makes it; threads that ended count."""
    return (~pid << 3) | CPUCLOCK_SCHED


def resident_bytes(pid: int) -> int:
    """Memory that is not shared with other processes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    private = [int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:"))]
    return 1024 * sum(private)


def load_average() -> float:
    """Of the last minute: how busy others keep the machine."""
    return float(Path("/proc/loadavg").read_text().split()[0])
