"""What a process has used, from /proc."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path


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
    """All threads of a process, to the nanosecond: /proc/PID/stat counts whole ticks of 10 ms."""
    used_s = {int(task.name): _used_s(task) for task in Path(f"/proc/{pid}/task").iterdir()}
    return Reading(time.monotonic(), used_s.get(sampler, 0.0), sum(used_s.values()) - used_s.get(sampler, 0.0))


def _used_s(task: Path) -> float:
    return int((task / "schedstat").read_text().split()[0]) / 1e9


def resident_bytes(pid: int) -> int:
    """Memory that is not shared with other processes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    private = [int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:"))]
    return 1024 * sum(private)


def load_average() -> float:
    """Of the last minute: how busy others keep the machine."""
    return float(Path("/proc/loadavg").read_text().split()[0])
