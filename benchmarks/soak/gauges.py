"""What an agent costs at a moment, as the kernel and its own page tell it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.campaign.pages import LATE, MISSED, TICKS, Series, value

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Gauge:
    """One look."""

    at_s: float
    resident_mb: float
    anonymous_mb: float
    """Without what is mapped from files: a leak is here."""
    descriptors: int
    threads: int
    cpu_s: float
    ticks: float
    late_s: float
    """Lateness of all ticks, summed."""
    missed: float

    @property
    def line(self) -> str:
        """A row of the table."""
        return (
            f"{self.at_s:7.0f} s  {self.resident_mb:6.2f} MB resident  {self.anonymous_mb:6.2f} MB anonymous  "
            f"{self.descriptors} descriptors  {self.threads} threads  {self.ticks:.0f} ticks"
        )


def look(pid: int, page: Series, since_s: float, proc: Path = Path("/proc")) -> Gauge:
    """The cost of process `pid` now; ticks and lateness are those of `page`."""
    folder = proc / str(pid)
    status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return Gauge(
        time.monotonic() - since_s,
        _mb(status["VmRSS"]),
        _mb(status["RssAnon"]),
        len(list((folder / "fd").iterdir())),
        int(status["Threads"]),
        (int(fields[11]) + int(fields[12])) / TICKS_PER_S,
        value(page, TICKS),
        value(page, LATE),
        value(page, MISSED),
    )


def _mb(text: str) -> float:
    """`1234 kB` in megabytes."""
    return int(text.split(maxsplit=1)[0]) * 1024 / 1e6
